// SPDX-License-Identifier: MIT
/*
 * Namespace ids: what one network namespace calls another, so that it is found without a pid, a
 * path or going there. One function for each request of rtnetlink(7), as in rtnl.c for links.
 */
#include <libmnl/libmnl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sys/random.h>

#include "hook/nl.h"
#include "hook/rtnl.h"
#include "schema/error.h"

/* Ids that we choose are above those that the kernel and ip-netns(8) choose, from 0 on. */
#define NSID_FIRST (1U << 20)
#define NSID_TRIES 4

static struct nlmsghdr *put_nsid_request(void *buffer, uint16_t type)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtgenmsg *general;

	request->nlmsg_type = type;
	general = mnl_nlmsg_put_extra_header(request, sizeof(*general));
	general->rtgen_family = AF_UNSPEC;
	return request;
}

static int read_nsid_attribute(const struct nlattr *attribute, void *arg)
{
	if (mnl_attr_get_type(attribute) == NETNSA_NSID &&
		mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
		*(int *)arg = (int)mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static int read_nsid(void *arg, const struct nlmsghdr *message)
{
	mnl_attr_parse(message, sizeof(struct rtgenmsg), read_nsid_attribute, arg);
	return 0;
}

/* The id that a namespace has already. It is named by NETNSA_FD or NETNSA_PID. */
static int get_nsid(struct nl *nl, uint16_t by, uint32_t value, int *ret, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_nsid_request(buffer, RTM_GETNSID);
	int nsid = -1;
	int r;

	mnl_attr_put_u32(request, by, value);
	r = nl_request(nl, request, read_nsid, &nsid, err);
	if (r < 0)
		return r;
	if (nsid < 0)
		return error_set(err, -ENOENT, "the namespace has no id");
	*ret = nsid;
	return 0;
}

static int set_nsid(struct nl *nl, int netns, int nsid, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_nsid_request(buffer, RTM_NEWNSID);

	mnl_attr_put_u32(request, NETNSA_FD, (uint32_t)netns);
	mnl_attr_put_u32(request, NETNSA_NSID, (uint32_t)nsid);
	return nl_request(nl, request, NULL, NULL, err);
}

/* An id that says nothing of other namespaces, dead or alive: made of the cookie, which is this
 * one's alone. Cookies are counted up, by each CPU a few thousand at a time, so those that live at
 * a time have ids near to each other. That matters: the kernel goes through all ids one by one to
 * find a namespace's (__peernet2id() in net/core/net_namespace.c), and did it for 4 ms where 4000
 * of them were random numbers. Where another has taken ours, a random one does.
 */
static int choose_nsid(uint64_t cookie, unsigned try, int *ret, struct error *err)
{
	if (try > 0 && getrandom(&cookie, sizeof(cookie), 0) != sizeof(cookie))
		return error_set_errno(err, "cannot get a random number");
	*ret = (int)(NSID_FIRST + cookie % (INT32_MAX - NSID_FIRST));
	return 0;
}

/**
 * rtnl_nsid_add() - give a namespace an id in the socket's namespace
 * @nl:         a socket
 * @netns:      a descriptor of the namespace
 * @cookie:     its cookie
 * @ret_nsid:   the id; the kernel takes it back when the namespace ends
 * @ret_shared: it had one before, which others may use too
 * @err:        filled on failure
 *
 * Return: 0, or what RTM_NEWNSID gave (rtnl_net_newid() in net/core/net_namespace.c).
 */
int rtnl_nsid_add(struct nl *nl, int netns, uint64_t cookie, int *ret_nsid, bool *ret_shared,
	struct error *err)
{
	int r = -EEXIST;

	for (unsigned try = 0; try < NSID_TRIES; try++) {
		int nsid = -1;

		r = choose_nsid(cookie, try, &nsid, err);
		if (r == 0)
			r = set_nsid(nl, netns, nsid, err);
		if (r == 0) {
			*ret_nsid = nsid;
			*ret_shared = false;
		}
		/* -EEXIST: it has an id; -ENOSPC: another has this one. */
		if (r == 0 || (r != -EEXIST && r != -ENOSPC))
			return r;
		if (get_nsid(nl, NETNSA_FD, (uint32_t)netns, ret_nsid, err) == 0) {
			*ret_shared = true;
			return 0;
		}
	}
	return r;
}

/**
 * rtnl_nsid_exists() - does a namespace still live
 * @nl:   a socket in the namespace that gave the id
 * @nsid: the id
 * @ret:  whether it names a namespace; false as soon as it begins to end
 * @err:  filled on failure
 *
 * Return: 0, or what RTM_GETNSID gave other than that it does not exist.
 */
int rtnl_nsid_exists(struct nl *nl, int nsid, bool *ret, struct error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NL_REQUEST_MAX];
	struct nlmsghdr *request = put_nsid_request(buffer, RTM_GETNSID);
	int r;

	mnl_attr_put_u32(request, NETNSA_NSID, (uint32_t)nsid);
	r = nl_request(nl, request, NULL, NULL, err);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = r == 0;
	return 0;
}

/**
 * rtnl_nsid_get_pid() - the id of the namespace that a process is in
 * @nl:  a socket in the namespace that gave the id
 * @pid: the process
 * @ret: the id
 * @err: filled on failure
 *
 * Return: 0; -ENOENT: the namespace has no id here; -ESRCH: there is no such process; what
 * RTM_GETNSID gave (rtnl_net_getid() in net/core/net_namespace.c).
 */
int rtnl_nsid_get_pid(struct nl *nl, pid_t pid, int *ret, struct error *err)
{
	return get_nsid(nl, NETNSA_PID, (uint32_t)pid, ret, err);
}
