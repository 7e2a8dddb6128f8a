// SPDX-License-Identifier: MIT
/*
 * Hypervisors and clouds that drop frames with MACs that they did not give to the machine: told by
 * what the firmware says (DMI), else by the driver of its NIC.
 */
#include "hook/cli/platform.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "hook/cli/check.h"

#define DMI_FOLDER "/sys/class/dmi/id/"
#define DMI_TEXT 128

static const struct platform vmware = { "VMware",
	"drops frames of containers unless the virtual switch allows them: set 'Forged transmits', "
	"'MAC address changes' and 'Promiscuous mode' of its port group to Accept" };
static const struct platform hyperv = { "Hyper-V",
	"drops frames of containers unless the adapter allows them: 'Set-VMNetworkAdapter -VMName "
	"NAME -MacAddressSpoofing On' on the hypervisor" };
static const struct platform virtualbox = { "VirtualBox",
	"gives containers nothing unless the adapter is bridged and its promiscuous mode is 'Allow "
	"All': set it in the machine's network settings" };
static const struct platform openstack = { "OpenStack",
	"drops frames of containers unless the port allows them: 'openstack port set "
	"--disable-port-security PORT' (without security groups), or allowed address pairs" };

#define CLOUD                                                                               \
	"drops all frames with MACs that are not the machine's: macvlan cannot work there " \
	"on its own networks; use a tunnel or a machine on a LAN"

static const struct platform azure = { "Microsoft Azure", CLOUD };
static const struct platform amazon = { "Amazon EC2", CLOUD };
static const struct platform google = { "Google Compute Engine", CLOUD };
static const struct platform digitalocean = { "DigitalOcean", CLOUD };
static const struct platform hetzner = { "Hetzner Cloud", CLOUD };
static const struct platform alibaba = { "Alibaba Cloud", CLOUD };
static const struct platform tencent = { "Tencent Cloud", CLOUD };
static const struct platform oracle = { "Oracle Cloud", CLOUD };
static const struct platform scaleway = { "Scaleway", CLOUD };
static const struct platform vultr = { "Vultr", CLOUD };
static const struct platform linode = { "Akamai (Linode)", CLOUD };

/* What a file of DMI_FOLDER says. */
struct sign {
	const char *file;
	const char *text; /* the file begins with it, or, with a '*' in front, has it somewhere */
	const struct platform *platform;
};

/* The first that fits: Azure is a Hyper-V, and a cloud's OpenStack has the cloud's rules. */
static const struct sign signs[] = {
	{ "chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77", &azure },
	{ "chassis_asset_tag", "OracleCloud.com", &oracle },
	{ "sys_vendor", "Amazon EC2", &amazon }, { "bios_vendor", "Amazon EC2", &amazon },
	{ "bios_version", "*amazon", &amazon }, /* on Xen */
	{ "product_name", "Google Compute Engine", &google },
	{ "sys_vendor", "DigitalOcean", &digitalocean }, { "sys_vendor", "Hetzner", &hetzner },
	{ "sys_vendor", "Alibaba Cloud", &alibaba }, { "sys_vendor", "Tencent Cloud", &tencent },
	{ "sys_vendor", "Scaleway", &scaleway }, { "sys_vendor", "Vultr", &vultr },
	{ "sys_vendor", "Linode", &linode }, { "sys_vendor", "Akamai", &linode },
	{ "product_name", "OpenStack", &openstack }, { "sys_vendor", "OpenStack", &openstack },
	{ "chassis_asset_tag", "OpenStack", &openstack }, { "sys_vendor", "VMware", &vmware },
	{ "product_name", "VirtualBox", &virtualbox },
	{ "sys_vendor", "innotek GmbH", &virtualbox },
	{ "product_name", "Virtual Machine", &hyperv }, /* its vendor is Microsoft */
};

/* Where the firmware is silent. virtio's is everybody's. */
static const struct {
	const char *driver;
	const struct platform *platform;
} drivers[] = {
	{ "vmxnet3", &vmware },
	{ "hv_netvsc", &hyperv },
	{ "ena", &amazon },
	{ "gve", &google },
};

static bool has_sign(const struct sign *sign)
{
	char path[sizeof(DMI_FOLDER) + 32];
	char text[DMI_TEXT];

	snprintf(path, sizeof(path), DMI_FOLDER "%s", sign->file);
	if (check_read_line(path, text, sizeof(text)) <= 0)
		return false;
	if (*sign->text == '*')
		return strstr(text, sign->text + 1);
	return !strncmp(text, sign->text, strlen(sign->text));
}

/**
 * platform_find() - find out which of these the machine runs on
 * @driver: of the NIC that matters; "": none
 *
 * Return: the platform; NULL: none that is known.
 */
const struct platform *platform_find(const char *driver)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (has_sign(&signs[i]))
			return signs[i].platform;
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(driver, drivers[i].driver))
			return drivers[i].platform;
	return NULL;
}
