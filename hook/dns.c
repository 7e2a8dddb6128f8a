// SPDX-License-Identifier: MIT
/*
 * What a container resolves names with: a resolv.conf of its own in RUN/dns, mounted read-only on
 * its /etc/resolv.conf (dns_target.c), where a file may have to be made for it first (dns_made.c).
 * Nothing is written into an image.
 *
 * A mount of the engine on that file, or above it, wins: then nothing is done. Without DNS a
 * container is still a container: whatever fails here, of the image, config.json or the host's
 * resolvers, is a line in the log, and nothing of it is left.
 */
#include "hook/dns.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "hook/collect.h"
#include "hook/config.h"
#include "hook/dns_parts.h"
#include "hook/host.h"
#include "hook/host_resolv.h"
#include "hook/log.h"
#include "hook/plan.h"
#include "ipam/dir.h"
#include "schema/bundle.h"
#include "schema/cleanup.h"
#include "schema/error.h"
#include "schema/file.h"
#include "schema/ip_config.h"
#include "schema/name.h"
#include "schema/network.h"
#include "schema/record.h"
#include "schema/resolv.h"
#include "schema/text.h"

/**
 * dns_item() - which network decides on a container's DNS
 * @plan: the container's
 *
 * Return: the first that does not say "none"; NULL: all do.
 */
const struct plan_item *dns_item(const struct plan *plan)
{
	for (unsigned i = 0; i < plan->n; i++)
		if (plan->items[i].network->dns.mode != NETWORK_DNS_NONE)
			return &plan->items[i];
	return NULL;
}

/* What a container is given, and where. */
struct job {
	struct host *host;
	const char *id;
	const struct netns *netns;
	const struct plan_item *item; /* whose network decides */
	const struct bundle *bundle;
	struct dns_target target;
};

/* A text for a resolv.conf. */
struct text {
	char *text;
	size_t size;
};

static void text_free(struct text *text)
{
	free(text->text);
	*text = (struct text){ 0 };
}

static int make_text(const struct plan_item *item, struct text *ret, struct error *err)
{
	const struct network_dns *dns = &item->network->dns;

	switch (dns->mode) {
	case NETWORK_DNS_GIVEN:
		if (item->given && item->given->n_servers > 0)
			return resolv_format_given(item->given, &ret->text, &ret->size, err);
		return host_resolv_read(&ret->text, &ret->size, err);
	case NETWORK_DNS_HOST:
		return host_resolv_read(&ret->text, &ret->size, err);
	case NETWORK_DNS_STATIC:
		return resolv_format(dns, &ret->text, &ret->size, err);
	case NETWORK_DNS_NONE:
		break;
	}
	return error_set(err, -EINVAL, "dns.mode is none");
}

/* Where there is no SELinux there is no need for it. */
static int set_label(int file, const char *label, struct error *err)
{
	if (!*label || fsetxattr(file, "security.selinux", label, strlen(label) + 1, 0) == 0 ||
		errno == EOPNOTSUPP)
		return 0;
	return error_set_errno(err, "cannot give it the label '%s'", label);
}

/* RUN/dns/ID.conf, readable for whoever sees it: in the container. */
static int write_conf(
	int dir, const struct job *job, const struct text *text, int *ret, struct error *err)
{
	autoclose int file = -1;
	char name[DNS_NAME_MAX];
	int r;

	text_join(name, sizeof(name), job->id, DNS_CONF_SUFFIX);
	r = file_write(dir, name, text->text, text->size, 0644, err);
	if (r < 0)
		return r;
	file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return error_set_errno(err, "cannot open '%s'", name);
	r = set_label(file, job->bundle->mount_label, err);
	if (r == 0)
		*ret = steal_fd(&file);
	return r;
}

/* Has something to mount on made, and looks again. */
static int make_target(struct job *job, int dir, struct error *err)
{
	const struct dns_maker maker = {
		.store = &job->host->store, .dir = dir, .id = job->id, .root = job->bundle->root
	};
	struct dns_target *target = &job->target;
	int r;

	if (target->file >= 0 && !target->is_empty)
		return 0;
	r = dns_made_add(&maker, target, err);
	if (r < 0 || target->file >= 0)
		return r;
	dns_target_close(target);
	r = dns_target_open(job->netns, job->bundle->root, target, err);
	if (r == 0 && target->file < 0)
		r = error_set(err, -ENOENT, "'/etc/resolv.conf' is not seen in the container");
	return r;
}

static int write_and_mount(struct job *job, struct error *err)
{
	struct text text cleanup(text_free) = { 0 };
	autoclose int dir = -1;
	autoclose int file = -1;
	int r = make_text(job->item, &text, err);

	if (r == 0)
		r = store_open_folder(&job->host->store, STORE_DNS, true, &dir, err);
	/* What an earlier run has left, if anything. */
	if (r == 0)
		r = dns_remove(job->host, job->id, err);
	if (r == 0)
		r = write_conf(dir, job, &text, &file, err);
	if (r == 0)
		r = make_target(job, dir, err);
	return r == 0 ? dns_target_mount(&job->target, file, err) : r;
}

static int do_job(struct job *job, struct error *err)
{
	struct error undo;
	int r;

	if (!*job->bundle->root)
		return error_set(err, -EINVAL, "config.json has no root.path");
	r = dns_target_open(job->netns, job->bundle->root, &job->target, err);
	if (r < 0 || job->target.is_covered)
		return r;
	r = write_and_mount(job, err);
	if (r < 0 && dns_remove(job->host, job->id, &undo) < 0)
		log_notice("container '%s': %s; its end tries again", job->id, undo.text);
	return r;
}

/**
 * dns_write() - let a container resolve names as its networks say
 * @host:    the host
 * @request: the container, whose record is there and whose lock is held
 *
 * Leaves everything as it is where something is mounted there: by the engine, or by an earlier call
 * for this container. What fails is a line in the log.
 */
void dns_write(struct host *host, const struct dns_request *request)
{
	struct job job = {
		.host = host,
		.id = request->id,
		.netns = request->netns,
		.item = dns_item(request->plan),
		.target = DNS_TARGET_CLOSED,
	};
	struct error err;

	if (!job.item)
		return;
	job.bundle = config_read(request->config);
	if (job.bundle && do_job(&job, &err) < 0)
		log_notice("container '%s': no DNS: %s", job.id, err.text);
	dns_target_close(&job.target);
}

/* Is this what a container resolves with? Another member of the pod may have other networks. */
static bool is_text(int file, const struct text *text)
{
	struct stat status;
	char *there = malloc(text->size + 1);
	bool is_same = there && fstat(file, &status) == 0 && (size_t)status.st_size == text->size &&
		       pread(file, there, text->size, 0) == (ssize_t)text->size &&
		       !memcmp(there, text->text, text->size);

	free(there);
	return is_same;
}

/* In place, for it is this very file that is mounted in the container. */
static int rewrite_one(const struct host *host, const char *id, const struct text *old,
	const struct text *text, struct error *err)
{
	char path[sizeof("dns/") + DNS_NAME_MAX];
	autoclose int file = -1;

	text_join(path, sizeof(path), "dns/", id, DNS_CONF_SUFFIX);
	file = openat(host->store.dir, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0 && errno == ENOENT) /* the engine's own is mounted there, or none is */
		return 0;
	if (file >= 0 && old && !is_text(file, old))
		return 0;
	if (file < 0 || pwrite(file, text->text, text->size, 0) != (ssize_t)text->size ||
		ftruncate(file, (off_t)text->size) < 0)
		return error_set_errno(err, "cannot write '%s'", path);
	return 0;
}

/* The owner's first; of the others those that had the same. */
static int rewrite_all(const struct host *host, const struct record *record, const struct text *old,
	const struct text *text, struct error *err)
{
	int r = rewrite_one(host, record->id, NULL, text, err);

	for (unsigned i = 0; r == 0 && old->text && i < record->n_members; i++)
		if (strcmp(record->members[i].id, record->id) != 0)
			r = rewrite_one(host, record->members[i].id, old, text, err);
	return r;
}

/**
 * dns_rewrite() - have the containers of a namespace resolve as a DHCP server says by now
 * @host:   the host
 * @record: the record of the namespace's owner, whose lock is held; its DNS is the server's
 * @old:    what the server said before; NULL: nothing
 * @config: what the server says; without a resolver all stays as it is
 *
 * What fails is a line in the log.
 */
void dns_rewrite(const struct host *host, const struct record *record, const struct ip_config *old,
	const struct ip_config *config)
{
	struct text before cleanup(text_free) = { 0 };
	struct text text cleanup(text_free) = { 0 };
	struct error err;
	int r = 0;

	if (config->n_servers == 0)
		return;
	if (old && old->n_servers > 0)
		r = resolv_format_given(old, &before.text, &before.size, &err);
	if (r == 0)
		r = resolv_format_given(config, &text.text, &text.size, &err);
	if (r == 0)
		r = rewrite_all(host, record, &before, &text, &err);
	if (r < 0)
		log_notice("container '%s': its DNS stays as it was: %s", record->id, err.text);
}

/**
 * dns_remove() - remove what there is for a container's DNS, dead or not made to the end
 * @host: the host
 * @id:   the container, whose lock is held
 * @err:  filled on failure
 *
 * Return: 0, also when there is nothing; what the file system gave.
 */
int dns_remove(const struct host *host, const char *id, struct error *err)
{
	char path[sizeof("dns/") + DNS_NAME_MAX];
	int r = dns_made_remove(&host->store, id, err);

	if (r < 0)
		return r;
	text_join(path, sizeof(path), "dns/", id, DNS_CONF_SUFFIX);
	if (unlinkat(host->store.dir, path, 0) < 0 && errno != ENOENT)
		return error_set_errno(err, "cannot remove '%s'", path);
	return 0;
}

/* Whose file is it? False for what is not ours. */
static bool read_id(const char *name, char ret[CONTAINER_ID_MAX + 1])
{
	const char *dot = strrchr(name, '.');

	if (!dot || (strcmp(dot, DNS_CONF_SUFFIX) != 0 && strcmp(dot, DNS_MADE_SUFFIX) != 0) ||
		dot - name > CONTAINER_ID_MAX)
		return false;
	memcpy(ret, name, (size_t)(dot - name));
	ret[dot - name] = '\0';
	return name_check_container_id(ret, NULL) == 0;
}

/* Two files may be one container's: it is told of once. */
static bool is_told(const struct host *host, const char *name, const char *id)
{
	char path[sizeof("dns/") + DNS_NAME_MAX];

	if (strcmp(name + strlen(id), DNS_MADE_SUFFIX) != 0)
		return false;
	text_join(path, sizeof(path), "dns/", id, DNS_CONF_SUFFIX);
	return faccessat(host->store.dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int sweep_file(void *arg, const char *name, unsigned char type, struct error *err)
{
	cleanup(record_free) struct record *record = NULL;
	struct collection *collection = arg;
	struct host *host = collection->host;
	char id[CONTAINER_ID_MAX + 1];

	(void)type;
	if (!read_id(name, id) || host_trylock(host, id, NULL) < 0)
		return 0;
	if (record_load(host->store.containers, id, &record, err) == -ENOENT &&
		!is_told(host, name, id)) {
		if (!collection->dry_run && dns_remove(host, id, err) < 0)
			collect_complain(collection, err);
		else
			collect_report(collection, id, "its resolv.conf", "no record leads to it");
	}
	host_unlock(host, id);
	return 0;
}

/**
 * dns_sweep() - remove what no record leads to
 * @collection: the run, after all records
 * @err:        filled on failure
 *
 * Return: 0, or what listing RUN/dns gave.
 */
int dns_sweep(struct collection *collection, struct error *err)
{
	autoclose int dir = -1;
	int r = store_open_folder(&collection->host->store, STORE_DNS, false, &dir, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return dir_list(dir, sweep_file, collection, err);
}
