"""Programs that try to talk to anyone."""

from __future__ import annotations

from .case import Case, ends

OK = ends("ok")

CASES = [
    Case(
        "tcp",
        """
        import socket
        for address in (("1.1.1.1", 53), ("8.8.8.8", 443), ("169.254.169.254", 80), ("172.17.0.1", 22), ("10.0.0.1", 80)):
            try:
                with socket.socket() as s:
                    s.settimeout(0.7)
                    s.connect(address)
                    breach("connected to", address)
            except TimeoutError:
                breach("packets leave for", address)
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "udp",
        """
        import socket
        for address in (("8.8.8.8", 53), ("255.255.255.255", 67), ("224.0.0.251", 5353), ("172.17.0.1", 53)):
            try:
                with socket.socket(type=socket.SOCK_DGRAM) as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                    s.sendto(b"x", address)
                    breach("sent to", address)
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "ipv6",
        """
        import socket
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                with socket.socket(socket.AF_INET6, kind) as s:
                    s.settimeout(0.7)
                    s.connect(("2606:4700:4700::1111", 53))
                    breach("connected over IPv6")
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "names",
        """
        import socket
        for name in ("example.com", "host.docker.internal", "metadata.google.internal"):
            try:
                breach("resolved", name, socket.gethostbyname(name))
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "raw_sockets",
        """
        import socket
        for family, kind, protocol in ((17, 3, 768), (17, 2, 768), (2, 3, 1), (2, 3, 255), (10, 3, 58)):
            try:
                socket.socket(family, kind, protocol)
                breach("raw socket", family, kind, protocol)
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "every_family",
        """
        import socket
        for family in range(3, 50):
            if family in (socket.AF_INET6, socket.AF_NETLINK):
                continue
            for kind in (1, 2, 3, 5):
                try:
                    socket.socket(family, kind, 0)
                except OSError:
                    continue
                breach("socket of family", family, "type", kind)
        """,
        OK,
    ),
    Case(
        "host_over_vsock",
        """
        import socket
        for port in (2024, 5001, 5002, 1024, 22):
            try:
                with socket.socket(40, socket.SOCK_STREAM) as s:
                    s.settimeout(1)
                    s.connect((2, port))
                    breach("connected to the host over vsock", port)
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "kernel_crypto_sockets",
        """
        import socket
        try:
            socket.socket(38, socket.SOCK_SEQPACKET).bind(("hash", "sha256"))
            breach("AF_ALG")
        except OSError:
            pass
        """,
        OK,
    ),
    Case(
        "interfaces",
        """
        import socket
        others = [name for _, name in socket.if_nameindex() if name not in ("lo", "tunl0", "sit0", "ip6tnl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6gre0")]
        if others:
            breach("interfaces", others)
        """,
        ends("ok", "error"),
    ),
    Case(
        "routes_by_netlink",
        """
        import socket, struct
        try:
            s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            s.bind((0, 0))
            # Ask for loopback to be given another address: RTM_NEWADDR needs CAP_NET_ADMIN.
            body = struct.pack("=BBBBI", 2, 8, 0, 0, 1) + struct.pack("=HH4s", 8, 2, b"\\x7f\\x07\\x07\\x07")
            s.send(struct.pack("=IHHII", 16 + len(body), 20, 0x605, 1, 0) + body)
            s.settimeout(1)
            reply = s.recv(4096)
            if struct.unpack_from("=IHHIIi", reply)[5] == 0:
                breach("changed an interface")
        except OSError:
            pass
        """,
        OK,
    ),
    Case(
        "services_of_the_host",
        """
        import socket
        for port in (22, 25, 53, 80, 111, 443, 631, 2024, 2375, 2376, 3306, 5000, 5001, 5432, 6379, 8000, 8080, 8888, 9090, 11434, @HOST_PORT@):
            try:
                with socket.socket() as s:
                    s.settimeout(0.5)
                    s.connect(("127.0.0.1", port))
                    breach("a service of the host on port", port)
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "abstract_sockets_of_the_host",
        """
        import socket
        names = ["@HOST_ABSTRACT@"]
        try:
            with open("/proc/net/unix") as table:
                names += [line.split()[-1][1:] for line in table if line.split()[-1].startswith("@")]
        except OSError:
            pass
        for name in names:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
                try:
                    with socket.socket(socket.AF_UNIX, kind) as s:
                        s.settimeout(0.5)
                        s.connect("\\0" + name)
                        if name == "@HOST_ABSTRACT@":
                            breach("connected to", name)
                except OSError:
                    pass
        """,
        OK,
    ),
    Case(
        "docker_socket",
        """
        import os, socket
        for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "@HOST_SOCKET@"):
            if os.path.exists(path):
                try:
                    socket.socket(socket.AF_UNIX).connect(path)
                    breach("connected to", path)
                except OSError:
                    pass
        """,
        OK,
    ),
    Case(
        "listeners_left",
        """
        import os, socket, time
        if os.fork() == 0:
            os.setsid()
            kept = []
            for make in (lambda s: s.bind(("127.0.0.1", @KEY@)),):
                s = socket.socket()
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                make(s)
                s.listen()
                kept.append(s)
            u = socket.socket(socket.AF_UNIX)
            u.bind("\\0@MARK@")
            u.listen()
            time.sleep(1000)
        time.sleep(0.2)
        1 + 1
        """,
        OK, value="2", quick=True,
    ),
    Case(
        "by_helper_programs",
        """
        import shutil, subprocess
        for command in (["curl", "-m1", "-s", "http://1.1.1.1"], ["wget", "-T1", "-qO-", "http://1.1.1.1"], ["ping", "-c1", "-W1", "1.1.1.1"],
                        ["nc", "-w1", "1.1.1.1", "53"], ["ssh", "-oConnectTimeout=1", "1.1.1.1"]):
            if shutil.which(command[0]) and subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=5).returncode == 0:
                breach(command[0], "got through")
        """,
        ends("ok", "error"),
    ),
]  # fmt: skip
