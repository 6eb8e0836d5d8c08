/** Shells whose `-c` is read like the line itself. */
export const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'ash']);

const OTHER_SHELLS = 'zsh ksh ksh93 mksh pdksh oksh yash fish csh tcsh rbash rksh posh elvish xonsh pwsh powershell';
const STARTERS =
  'parallel sem watch script scriptreplay expect unbuffer screen tmux byobu dtach abduco entr inotifywait at batch cron ' +
  'crontab su pkexec runuser systemd-run start-stop-daemon run-parts capsh daemonize chpst setuidgid softlimit ' +
  'setarch linux32 linux64 i386 x86_64 uname26 prlimit numactl cgexec firejail bwrap fakeroot fakechroot proot ' +
  'schroot dbus-run-session dbus-launch xvfb-run gosu su-exec tini dumb-init catatonit s6-setuidgid proxychains ' +
  'proxychains4 torsocks torify tsocks ltrace valgrind perf gdb lldb gdbserver rlwrap direnv flock ' +
  'ssh-agent sg newgrp chrt taskset uclampset choom catchsegv eatmydata faketime tsp nq ts-node-dev ' +
  'nodemon concurrently hyperfine cpulimit with-contenv runsv runsvdir supervisord foreman lxc-attach ' +
  'machinectl systemd-nspawn systemd-inhibit systemd-cat logsave ld.so ld-linux.so.2 ld-linux-x86-64.so.2 ' +
  'ld-linux-aarch64.so.1 ld-musl-x86_64.so.1 ld-musl-aarch64.so.1 sshpass setlock ifne chronic mispipe ' +
  'pee vipe dotenv dotenvx env-cmd cross-env cross-env-shell ' +
  'tclsh wish aa-exec xterm gnome-terminal konsole x-terminal-emulator tmate multitime pexec openvt ksu sash slsh rc es';
const CHANGERS: readonly (readonly [string, string])[] = [
  ['.', 'runs a file in the shell itself'],
  ['source', 'runs a file in the shell itself'],
  ['alias', 'changes what words mean'],
  ['unalias', 'changes what words mean'],
  ['trap', 'runs something later'],
  ['enable', 'changes what words mean'],
  ['shopt', 'changes how a line is read'],
  ['bind', 'can run something later'],
  ['complete', 'can run something later'],
  ['compgen', 'can run something'],
  ['compopt', 'can run something later'],
  ['fc', 'runs earlier commands'],
  ['history', 'reads and writes files'],
  ['mapfile', 'evaluates what it is given'],
  ['readarray', 'evaluates what it is given'],
  ['declare', 'evaluates what it is given'],
  ['typeset', 'evaluates what it is given'],
  ['local', 'evaluates what it is given'],
  ['let', 'evaluates what it is given'],
  ['getopts', 'evaluates what it is given'],
];

/** Programs of which the words do not say for certain what they start, and why: the rest of a sentence. */
export const OPAQUE: ReadonlyMap<string, string> = new Map([
  ...OTHER_SHELLS.split(' ').map((name) => [name, 'is another shell'] as const),
  ...STARTERS.split(' ').map((name) => [name, 'starts programs in a way that is not read'] as const),
  ...CHANGERS,
]);
