# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# DHCP servers on the LAN of lan.bash, and what they and the wire say. All in the namespace of the
# LAN's router (DHCP_NETNS, its addresses below DHCP_PREFIX), all ended by dhcp_stop, which teardown
# calls. Start any with other arguments after it was stopped: it still knows its leases.
#
#	dnsmasq_start [OPTION]...		what most home routers have; leases of 120 s or more
#	isc_start SECONDS [STATEMENT]...	ISC dhcpd: short leases, refuses what it did not give
#	hostile_start [ARG]...			tests/tools/dhcp_hostile.py: any value in any option

DHCP_NETNS=router
DHCP_PREFIX=10.0.0

dhcp_dir() {
	mkdir -p "$BATS_TEST_TMPDIR/dhcp/$DHCP_NETNS"
	echo "$BATS_TEST_TMPDIR/dhcp/$DHCP_NETNS"
}

# The first of WORDS that matches the glob PATTERN.
dhcp_has() { # PATTERN WORD...
	local pattern=$1 word
	shift

	for word in "$@"; do
		# shellcheck disable=SC2053 # it is a pattern
		[[ $word != $pattern ]] || return 0
	done
	return 1
}

# Runs COMMAND in the router's namespace until dhcp_stop; its output is in DIR/SERVER.log. Waits for
# LINE in that.
dhcp_serve() { # SERVER LINE COMMAND...
	local server=$1 line=$2 dir
	shift 2

	dir=$(dhcp_dir)
	: >"$dir/$server.log"
	ip netns exec "$DHCP_NETNS" "$@" </dev/null >"$dir/$server.log" 2>&1 3>&- &
	echo $! >"$dir/$server.pid"
	disown
	wait_until grep -q "$line" "$dir/$server.log" && return
	cat "$dir/$server.log" >&2
	return 1
}

# Ends the servers (default all, on all LANs) and the capture.
dhcp_stop() { # [SERVER]
	local file pid

	# shellcheck disable=SC2231 # * is to match
	for file in "$BATS_TEST_TMPDIR"/dhcp/*/${1:-*}.pid; do
		[ -e "$file" ] || continue
		pid=$(cat "$file")
		rm "$file"
		kill "$pid" 2>/dev/null || continue
		wait_until process_gone "$pid"
	done
}

# --- dnsmasq ---

# Gives .100 to .199 for an hour unless an option says otherwise, at once (it does not ping first).
dnsmasq_start() { # [OPTION]...
	local dir options=("$@")

	dir=$(dhcp_dir)
	dhcp_has '--dhcp-range=*' "$@" ||
		options+=("--dhcp-range=$DHCP_PREFIX.100,$DHCP_PREFIX.199,255.255.255.0,1h")
	dhcp_has '--port=*' "$@" || options+=(--port=0)
	dhcp_serve dnsmasq 'DHCP, IP range' dnsmasq --keep-in-foreground --conf-file=/dev/null \
		--interface=lan --except-interface=lo --bind-interfaces --no-hosts --no-resolv --no-ping \
		--dhcp-authoritative --dhcp-leasefile="$dir/dnsmasq.leases" --pid-file= --user=root \
		--log-dhcp --log-facility=- "${options[@]}"
}

# "ADDRESS HOSTNAME CLIENT-ID" of the lease that a MAC has (* where it has none); nothing without one.
dnsmasq_lease() { # MAC
	awk -v mac="$1" '$2 == mac { print $3, $4, $5 }' "$(dhcp_dir)/dnsmasq.leases"
}

dnsmasq_lease_gone() { # MAC
	[ -z "$(dnsmasq_lease "$1")" ]
}

# --- ISC dhcpd ---

# Gives .100 to .199 for SECONDS, and the router, unless a statement says otherwise. STATEMENT: as in
# dhcpd.conf(5), of the subnet, such as 'option domain-name "lan"'; option 121 is called rfc3442.
isc_start() { # SECONDS [STATEMENT]...
	local dir seconds=$1 statements=("${@:2}")

	dir=$(dhcp_dir)
	dhcp_has 'range *' "$@" || statements+=("range $DHCP_PREFIX.100 $DHCP_PREFIX.199")
	dhcp_has 'option routers *' "$@" || statements+=("option routers $DHCP_PREFIX.1")
	{
		echo 'option rfc3442 code 121 = array of integer 8;'
		echo 'authoritative; ping-check false; ddns-update-style none;'
		echo "default-lease-time $seconds; min-lease-time $seconds; max-lease-time $seconds;"
		echo "subnet $DHCP_PREFIX.0 netmask 255.255.255.0 {"
		printf '%s;\n' "${statements[@]}" | sed 's/};$/}/'
		echo '}'
	} >"$dir/isc.conf"
	[ -e "$dir/isc.leases" ] || : >"$dir/isc.leases"
	dhcp_serve isc 'Server starting service' "$REPO/build/isc-dhcp-server/usr/sbin/dhcpd" -4 -f -d \
		-cf "$dir/isc.conf" -lf "$dir/isc.leases" -pf "$dir/isc-dhcpd.pid" lan
}

# "ADDRESS STATE" of what the server wrote last about a MAC (state: active, free, ...). The file is a
# log.
isc_lease() { # MAC
	awk -v mac="$1" '$1 == "lease" { address = $2 }
		/^  binding state/ { state = $3 }
		$1 == "hardware" && $3 == mac ";" { last = address " " state }
		END { sub(/;$/, "", last); print last }' "$(dhcp_dir)/isc.leases"
}

isc_lease_is() { # MAC "ADDRESS STATE"
	[ "$(isc_lease "$1")" = "$2" ]
}

# --- a hostile server ---

hostile_start() { # [ARG]...
	dhcp_serve hostile '^READY' /usr/bin/python3 -I "$REPO/tests/tools/dhcp_hostile.py" lan \
		--address "$DHCP_PREFIX.66" --server "$DHCP_PREFIX.1" "$@"
}

# How many packets of TYPE (DISCOVER, REQUEST, ...) came to it since it was started.
hostile_got() { # TYPE [MAC]
	grep -c "^$1 ${2-}" "$(dhcp_dir)/hostile.log" || true
}

# --- the wire ---

# Captures what DHCP clients and servers say on the LAN from now on, until dhcp_stop.
dhcp_capture() {
	dhcp_serve capture 'listening on' tcpdump -n -e -l -U -vv -i lan 'udp port 67 or udp port 68'
}

# The same of ARP.
arp_capture() {
	dhcp_serve arp 'listening on' tcpdump -n -e -l -U -i lan arp
}

# MAC has told all that ADDRESS is its own (RFC 5227 section 2.3).
arp_announced() { # MAC ADDRESS
	grep -qF "$1 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Request who-has $2 tell $2," \
		"$(dhcp_dir)/arp.log"
}

# The captured packets of TYPE (Discover, Request, Release, Decline, ACK, NACK, ...) from or to a MAC,
# a line each, in tcpdump's words.
dhcp_packets() { # TYPE MAC
	awk -v type=": $1 " -v mac="Client-Ethernet-Address $2 " '
		function flush() { if (index(packet, type) && index(packet, mac)) print packet }
		/^[0-9][0-9]:/ { flush(); packet = "" }
		{ gsub(/[ \t]+/, " "); packet = packet $0 " " }
		END { flush() }' "$(dhcp_dir)/capture.log"
}

dhcp_seen() { # TYPE MAC [TEXT]
	dhcp_packets "$1" "$2" | grep -qF -- "${3-}"
}

# How many.
dhcp_count() { # TYPE MAC
	dhcp_packets "$1" "$2" | wc -l
}
