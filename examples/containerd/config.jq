# Makes the config.json of a container on the LAN from containerd's default one:
#
#   ctr oci spec | jq --from-file config.jq --arg id web --arg root /srv/web/rootfs \
#           --arg networks macvlan0 --args /bin/sleep 1000 >web.json
#   ctr run --detach --config web.json web

def hook($stage): {
	path: "/usr/local/libexec/oci-macvlan/oci-macvlan-hook",
	args: ["oci-macvlan-hook", $stage],
	timeout: 40
};

.root.path = $root
| .process.args = $ARGS.positional
| .process.env += ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
| .linux.cgroupsPath += "/" + $id
| .annotations["io.oci-macvlan.networks"] = $networks
| .hooks.createRuntime += [hook("createRuntime")]
| .hooks.poststop += [hook("poststop")]
