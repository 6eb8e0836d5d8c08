/** Where a nasty command is aimed at. */
export interface Target {
  workspace: string;
  home: string;
  port: number;
  udpPort: number;
  socket: string;
  abstract: string;
}

/** Lines for /bin/sh, some to be run alone since they end what runs them, that would change, end, reach or find out something, were they not isolated. */
export function nastyCommands({ workspace, home, port, udpPort, socket, abstract }: Target): string[] {
  const perl = (script: string): string => `perl -MSocket -e '${script}'`;
  const unix = (name: string): string =>
    perl(`socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un("${name}")) and print "REACHED\\n"`);
  return [
    'rm -rf . ./* ./.[a-z]*',
    `rm -rf ${workspace} ${home} /etc /usr/bin /root`,
    'chmod -R 777 . ; chown -R 1:1 . ; touch -d 2001-01-01 a.txt; setfattr -n user.a -v b a.txt',
    'echo x > a.txt; echo x >> a.txt; : > a.txt; truncate -s 0 a.txt; dd if=/dev/zero of=a.txt count=1 conv=notrunc',
    'mv a.txt b.txt; ln a.txt c.txt; ln -s a.txt d.txt; mkdir new; mkfifo pipe; mknod node c 1 3',
    'cp a.txt .hidden; install -m 755 /bin/sh sh; tar cf x.tar .; sed -i s/o/0/ a.txt; git init; git -C . gc',
    `mount -o remount,rw ${workspace}; mount -o remount,rw,bind .; mount -t tmpfs t .; umount -l .; touch mounted`,
    `unshare -Urm sh -c "mount -o remount,rw,bind ${workspace}; touch ${workspace}/unshared"`,
    'unshare -Urmpf --mount-proc sh -c "mount --bind /tmp /etc; touch nested"; unshare -n true; unshare -U id',
    'nsenter -t 1 -a touch entered; chroot /proc/1/root touch chrooted; pivot_root . /tmp',
    `ls -la /proc/1/root/root /proc/1/cwd; cat /proc/1/root/etc/shadow; touch /proc/1/root${workspace}/through`,
    'cat /dev/mem /dev/kmem /dev/port /proc/kcore /dev/sda | head -c 10; dd if=/dev/zero of=/dev/sda count=1',
    'mknod /tmp/mem c 1 1 && head -c 10 /tmp/mem; mknod /tmp/sda b 8 0 && head -c 10 /tmp/sda',
    'echo 1 > /proc/sys/kernel/panic; echo b > /proc/sysrq-trigger; echo x > /proc/sys/kernel/core_pattern; sysctl -w a=b',
    'echo 1000 > /proc/self/oom_score_adj; echo 0 > /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x',
    'kill -9 -1; kill -9 1; kill -STOP 1; killall5 -9; pkill -9 node',
    'for i in $(seq 2 400); do kill -9 $i 2>/dev/null; done',
    'timeout 0.2 strace -p 1 -o /tmp/trace; gdb -p 1 -batch; cat /proc/1/mem | head -c 1; cat /proc/1/environ /proc/*/environ',
    perl(
      'syscall(165, "none", "/tmp", "tmpfs", 0, 0) == 0 and print "MOUNTED\\n"; syscall(169, 0, 0, 0); syscall(175, 0, 0, "")',
    ),
    perl('syscall(250, 0, 0, 0); syscall(321, 0, 0, 0); syscall(272, 0x10000000)'),
    'reboot -f; shutdown now; poweroff; init 0; systemctl stop ssh; service ssh stop; date -s 2001-01-01; hostname evil',
    `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; echo REACHED >&3'; curl -s http://127.0.0.1:${port}/`,
    `bash -c 'echo x > /dev/udp/127.0.0.1/${udpPort}'; bash -c 'echo x > /dev/udp/255.255.255.255/${udpPort}'`,
    perl(
      `socket(S, PF_INET6, SOCK_STREAM, 0); connect(S, pack_sockaddr_in6(${port}, inet_pton(AF_INET6, "::1"))) and print "REACHED\\n"`,
    ),
    perl(
      'socket(S, 16, 3, 0) and print "netlink\\n"; socket(R, PF_INET, SOCK_RAW, 1) and print "RAW\\n"; socket(P, 17, 3, 0) and print "PACKET\\n"',
    ),
    perl('socket(V, 40, SOCK_STREAM, 0); connect(V, pack("SSLLL", 40, 0, 1024, 2, 0)) and print "VSOCK\\n"'),
    unix(socket),
    unix(`${workspace}/socket`),
    unix(`\\0${abstract}`),
    `cat ${home}/.env ${home}/.ssh/id_rsa /root/.bashrc /etc/shadow; ls ${home} /home /root /var/run; env; cat .env`,
    'crontab -l; echo "* * * * * touch x" | crontab -; at now; echo x >> ~/.bashrc; echo x > /etc/ld.so.preload',
    'su -c id; sudo -n id; passwd; setpriv --reuid=1 id; chmod u+s /bin/sh; setcap cap_sys_admin+ep /bin/sh; newgrp root',
    'setsid sh -c "sleep 0.2; touch late" & nohup sh -c "sleep 0.2; touch later" & (sh -c "sleep 0.1; rm -f a.txt" &)',
    'ulimit -n unlimited; ulimit -f unlimited; ulimit -c unlimited; head -c 100 /dev/zero > big; sh -c "kill -SEGV \\$\\$"',
    'exec 3<.; cd /proc/self/fd/3/..; touch up; cd /proc/self/cwd; ls /proc/self/fd/; echo x > /proc/self/fd/3/x',
    'ipcs; ipcmk -M 1000; ipcrm -a; keyctl show; dmesg; cat /proc/keys /proc/kallsyms | head -1; perf stat true',
  ];
}

const VERBS = [
  'rm -rf',
  'touch',
  'chmod 0',
  'mkdir -p',
  'mv a.txt',
  'cp -rf /etc/passwd',
  'ln -sf /etc/shadow',
  'cat',
  'ls -la',
];
const MORE = [
  'truncate -s 0',
  'tee -a',
  'dd if=/dev/zero count=1 of=/dev/null',
  'mount --bind /tmp',
  'umount -l',
  'chown 1',
  'rmdir',
];
const PLACES = [
  '.',
  './a.txt',
  'sub',
  'sub/../..',
  '/',
  '/etc',
  '/proc/1/root',
  '/proc/self/cwd',
  '/dev',
  '/sys',
  '/usr/bin',
  '.env',
  '..',
];
const WRAPPERS = [
  '',
  '',
  'unshare -Ur ',
  'setsid ',
  'nohup ',
  'timeout 1 ',
  'nice ',
  'env -i ',
  'xargs -0 -a /dev/null ',
];
const JOINS = [' ; ', ' && ', ' || ', ' & ', ' | '];

/** A line made of pieces, of a random source that gives numbers below 1. */
export function randomCommand(random: () => number, more: readonly string[]): string {
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] ?? '';
  const verbs = [...VERBS, ...MORE];
  const places = [...PLACES, ...more];
  const one = (): string =>
    `${pick(WRAPPERS)}${pick(verbs)} ${pick(places)}${random() < 0.3 ? ` > ${pick(places)}/out` : ''}`;
  let line = one();
  for (let parts = Math.floor(random() * 4); parts > 0; parts--) line += pick(JOINS) + one();
  return line;
}
