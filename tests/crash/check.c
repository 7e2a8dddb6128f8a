// SPDX-License-Identifier: MIT
/*
 * What must be true, as the kernel and the file system say it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/network.h"
#include "tests/lab/kernel.h"
#include "tests/crash/world.h"

#define SEEN_MAX 64
/* So many failures are told of a scenario. */
#define TOLD_MAX 10

/* Prints text as TAP comment lines. */
static void tell(const char *title, const char *text)
{
	printf("#   %s:\n", title);
	while (*text) {
		size_t length = strcspn(text, "\n");

		printf("#     %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

/**
 * check() - note whether something is as it must be
 * @world:  the world; its failures are counted
 * @passed: whether it is
 * @what:   what is wrong where it is not
 * @detail: more about that, or NULL
 *
 * Return: @passed.
 */
bool check(struct world *world, bool passed, const char *what, const char *detail)
{
	if (passed)
		return true;
	if (world->n_failures++ >= TOLD_MAX)
		return false;
	printf("# %s, %s: %s\n", world->scenario->name, world->where, what);
	if (detail && *detail)
		tell("it said", detail);
	fflush(stdout);
	return false;
}

static bool has_line(const char *text, const char *line, size_t length)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (strcspn(text, "\n") == length && !strncmp(text, line, length))
			return true;
	return false;
}

/* Prints the lines of one listing that the other has not. */
static void tell_difference(const char *mark, const char *text, const char *other)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		size_t length = strcspn(text, "\n");

		if (!has_line(other, text, length))
			printf("#     %s %.*s\n", mark, (int)length, text);
	}
}

/**
 * check_same_text() - two listings must be the same
 * @world:    the world
 * @got:      what is there
 * @expected: what must be
 * @what:     what is wrong where they differ
 *
 * Return: whether they are.
 */
bool check_same_text(struct world *world, const char *got, const char *expected, const char *what)
{
	if (check(world, !strcmp(got, expected), what, NULL))
		return true;
	if (world->n_failures <= TOLD_MAX) {
		tell_difference("is missing:", expected, got);
		tell_difference("is left:   ", got, expected);
		fflush(stdout);
	}
	return false;
}

/* An address or a MAC that somebody has. */
struct seen {
	char text[KERNEL_ADDRESS_TEXT];
	const struct box *box;
};

struct census {
	struct world *world;
	unsigned n;
	struct seen seen[SEEN_MAX];
};

static bool is_same_netns(const struct box *a, const struct box *b)
{
	struct stat sa;
	struct stat sb;

	return fstat(a->netns, &sa) == 0 && fstat(b->netns, &sb) == 0 && sa.st_ino == sb.st_ino;
}

static bool add_seen(struct census *census, const struct box *box, const char *text)
{
	char what[160];

	for (unsigned i = 0; i < census->n; i++)
		if (!strcmp(census->seen[i].text, text)) {
			snprintf(what, sizeof(what), "'%s' is held twice, by '%s' and '%s'", text,
				census->seen[i].box->id, box->id);
			return check(census->world, false, what, NULL);
		}
	if (!check(census->world, census->n < SEEN_MAX, "too many addresses for this test", NULL))
		return false;
	census->seen[census->n].box = box;
	snprintf(census->seen[census->n++].text, sizeof(census->seen[0].text), "%s", text);
	return true;
}

/* Whose namespace: the containers that are in it. */
static bool is_owner(const struct world *world, const struct box *box, const char *owner)
{
	const struct box *const boxes[] = { &world->x, &world->o, &world->m, &world->a, &world->old,
		&world->b, &world->half };

	for (unsigned i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		size_t length = strlen(boxes[i]->id);

		if (boxes[i]->netns >= 0 && is_same_netns(boxes[i], box) &&
			!strncmp(owner, boxes[i]->id, length) && owner[length] == '/')
			return true;
	}
	return false;
}

static bool check_claim(struct world *world, const struct box *box, const char *address)
{
	char what[256];
	char owner[256] = "nobody";
	bool claimed = lab_claim_owner(world->lab, address, owner, sizeof(owner));

	snprintf(what, sizeof(what), "'%s' uses address '%s', whose claim is of '%.64s'", box->id,
		address, owner);
	return check(world, claimed && is_owner(world, box, owner), what, NULL);
}

static bool is_macvlan(const struct kernel_view *view, int ifindex)
{
	const struct kernel_link *link = kernel_link_of(view, ifindex);

	return link && !strcmp(link->kind, "macvlan");
}

static bool read_view(struct world *world, const struct box *box, struct kernel_view *ret)
{
	int nl = kernel_open(box->netns);
	int r = nl < 0 ? nl : kernel_view(nl, KERNEL_HERE, ret);

	if (nl >= 0)
		close(nl);
	return check(world, r == 0, "cannot look into a namespace", NULL);
}

static bool take_census(struct census *census, const struct box *box)
{
	struct kernel_view view;
	bool passed = read_view(census->world, box, &view);

	for (unsigned i = 0; passed && i < view.n_links; i++) {
		const uint8_t *mac = view.links[i].mac;
		char text[32];

		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
			mac[2], mac[3], mac[4], mac[5]);
		if (is_macvlan(&view, view.links[i].ifindex) && view.links[i].up)
			passed = add_seen(census, box, text);
	}
	for (unsigned i = 0; passed && i < view.n_addresses; i++) {
		const struct kernel_address *address = &view.addresses[i];

		if (address->link_local || !is_macvlan(&view, address->ifindex))
			continue;
		passed = add_seen(census, box, address->text) &&
			 check_claim(census->world, box, address->text);
	}
	return passed;
}

static bool check_clients(struct world *world, bool passed, const char *what)
{
	char text[4096];

	if (!passed)
		clients_list(text, sizeof(text));
	return check(world, passed, what, passed ? NULL : text);
}

/**
 * check_shared() - no two namespaces share an address or a MAC, and each address is claimed
 * @world: the world
 *
 * Also of a container whose init is dead, as long as its namespace lives: it still answers.
 *
 * Return: whether that is so.
 */
bool check_shared(struct world *world)
{
	const struct box *const boxes[] = { &world->x, &world->o, &world->m, &world->a, &world->old,
		&world->b, &world->half };
	const unsigned n = sizeof(boxes) / sizeof(boxes[0]);
	struct census census = { .world = world };
	bool passed = true;

	for (unsigned i = 0; passed && i < n; i++) {
		bool is_first = boxes[i]->netns >= 0;

		for (unsigned j = 0; is_first && j < i; j++)
			if (boxes[j]->netns >= 0 && is_same_netns(boxes[i], boxes[j]))
				is_first = false;
		passed = !is_first || take_census(&census, boxes[i]);
	}
	return passed && check_clients(world, !clients_are_two(), "an endpoint has two clients");
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	while ((text = strchr(text, '\n'))) {
		n++;
		text++;
	}
	return n;
}

/* As many lines as in a's namespace when it is attached. Killed behind its final record, an attach
 * may have left the default routes that it replaces, one a family, behind its own.
 */
static bool has_whole_size(const struct world *world, const char *listing)
{
	unsigned n = count_lines(listing);
	unsigned whole = count_lines(world->whole_netns);

	return n >= whole &&
	       n <= whole + (strstr(world->scenario->annotations, "default-route") ? 2 : 0);
}

static unsigned count_addresses(const struct kernel_view *view, int ifindex, sa_family_t family)
{
	unsigned n = 0;

	for (unsigned i = 0; i < view->n_addresses; i++)
		if (view->addresses[i].ifindex == ifindex && !view->addresses[i].link_local &&
			view->addresses[i].family == family)
			n++;
	return n;
}

/* With host access the host has a way to each of its addresses. */
static bool check_reached(struct world *world, const struct kernel_view *view)
{
	bool passed = true;
	char what[128];

	for (unsigned i = 0; passed && i < view->n_addresses; i++) {
		const struct kernel_address *address = &view->addresses[i];

		if (address->link_local || !is_macvlan(view, address->ifindex))
			continue;
		snprintf(what, sizeof(what), "the host has no way to '%s'", address->text);
		passed = check(world, lab_is_reached(address->text), what, NULL);
	}
	return passed;
}

/* Where one is killed, the container lives on without until gc comes by. */
static bool may_lack_client(const struct world *world)
{
	return world->scenario->op == OP_REVIVE || world->scenario->whom == WHOM_CLIENT;
}

/**
 * check_client() - a has its DHCP client
 * @world: the world
 *
 * Return: whether it has, or needs none.
 */
bool check_client(struct world *world)
{
	return check_clients(world, !world_is_leased(world) || clients_is_one(&world->a),
		"it has not one DHCP client");
}

/**
 * check_no_client() - no DHCP client is left of a
 * @world: the world; a has ended
 *
 * Return: whether that is so: there are those of others in its pod.
 */
bool check_no_client(struct world *world)
{
	bool is_pod = world_is_leased(world) && world->scenario->place == PLACE_JOINS;

	return check_clients(world, clients_count(NULL) == is_pod, "a DHCP client is left");
}

/**
 * check_whole() - a container is attached, wholly
 * @world: the world
 * @box:   the container: a or b
 *
 * Return: whether that is so: as many links, addresses and routes as an undisturbed attach makes,
 * each link up and with an address of each family; with static addresses the very same; with host
 * access, reached by the host.
 */
bool check_whole(struct world *world, const struct box *box)
{
	char listing[LAB_TEXT];
	struct kernel_view view;
	unsigned n = 0;
	bool passed = read_view(world, box, &view);

	lab_list_netns(box, listing);
	for (unsigned i = 0; passed && i < view.n_links; i++) {
		const struct kernel_link *link = &view.links[i];

		if (!is_macvlan(&view, link->ifindex))
			continue;
		n++;
		passed = check(world,
			link->up && count_addresses(&view, link->ifindex, AF_INET) == 1 &&
				count_addresses(&view, link->ifindex, AF_INET6) == 1,
			"a link is not up with an address of each family", listing);
	}
	if (passed && world->scenario->host_access)
		passed = check_reached(world, &view);
	if (!passed || box != &world->a)
		return passed && check(world, n == 2, "a link is missing", listing);
	if (!check_parents(world) || (!may_lack_client(world) && !check_client(world)))
		return false;
	if (strstr(box->annotations, "ips"))
		return check_same_text(
			world, listing, world->whole_netns, "it is not wholly attached");
	return check(world, has_whole_size(world, listing), "it is not wholly attached", listing);
}

/**
 * check_left() - a container is gone, and has left nothing in its namespace
 * @world: the world
 * @box:   the container; of a pod: what the others have is still there
 *
 * Return: whether that is so.
 */
bool check_left(struct world *world, const struct box *box)
{
	enum place place = world->scenario->place;
	char listing[LAB_TEXT];

	if (box->netns < 0)
		return true;
	lab_list_netns(box, listing);
	if (place != PLACE_JOINS && !check_clients(world, clients_count(box) == 0,
					    "a DHCP client is left in its namespace"))
		return false;
	/* What a member has added stays for the others, unless it was only begun. */
	if (place == PLACE_ADDS && has_whole_size(world, listing))
		return true;
	if (place == PLACE_JOINS || place == PLACE_ADDS)
		return check_same_text(
			world, listing, world->pod_netns, "the pod's namespace has changed");
	/* A pod whose network was removed in part: what is wrong, the others' checks find. */
	if (place == PLACE_OWNS && world->m.pid && world->scenario->op == OP_RM)
		return true;
	if (place == PLACE_OWNS && world->m.pid)
		return check(world, has_whole_size(world, listing),
			"the pod's namespace has changed", listing);
	return !strcmp(listing, world->fresh_netns) ||
	       check_same_text(
		       world, listing, world->clean_netns, "something is left in its namespace");
}

/**
 * check_base() - everything is as it was before the scenario's containers came
 * @world: the world
 *
 * Return: whether that is so: RUN, ETC, x's namespace and the pod's.
 */
bool check_base(struct world *world)
{
	char listing[LAB_TEXT];
	bool passed;

	lab_list_state(world->lab, listing);
	passed = check_same_text(world, listing, world->base, "something is left in RUN or ETC");
	passed &= check_no_client(world);
	if (world->x.netns >= 0) {
		lab_list_netns(&world->x, listing);
		passed &=
			check_same_text(world, listing, world->x_netns, "a bystander has changed");
	}
	if (world->scenario->place == PLACE_JOINS) {
		lab_list_netns(&world->o, listing);
		passed &= check_same_text(
			world, listing, world->pod_netns, "the pod's owner has changed");
	}
	return passed;
}

/**
 * check_no_parents() - no interface of ours is left on the host
 * @world: the world
 *
 * Return: whether that is so.
 */
bool check_no_parents(struct world *world)
{
	char listing[LAB_TEXT];

	lab_list_parents(listing);
	return check_same_text(world, listing, "", "a parent of ours is left");
}

/**
 * check_parents() - of interfaces of ours there is the isolated parent alone, where it is needed
 * @world: the world; a is attached
 *
 * Return: whether that is so: what a killed attach left half-way is gone.
 */
bool check_parents(struct world *world)
{
	char name[INTERFACE_NAME_MAX + 1];
	char expected[INTERFACE_NAME_MAX + 2];
	char listing[LAB_TEXT];

	snprintf(expected, sizeof(expected), "%s\n", network_isolated_parent(LAB_ISOLATED, name));
	lab_list_parents(listing);
	return check_same_text(world, listing, world_is_isolated(world) ? expected : "",
		"the host's interfaces of ours are not as they must be");
}
