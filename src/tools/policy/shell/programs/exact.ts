/** What these do is said by all their words, or they act for whoever sits before them: a wildcard stands for none of it. */
const NAMES =
  // Shells and what reads code.
  'sh bash dash ash m4 dc ed ex expect tclsh osascript jshell irb pry ghci ocaml sbcl clisp guile racket gdb lldb jdb pdb ' +
  'export readonly unset exec eval unshare nsenter ' +
  // Editors and pagers start shells.
  'vi vim vimdiff view rvim nvim vimtutor nano pico emacs emacsclient joe jed mcedit mc micro helix hx less lesspipe more ' +
  'most pg man info w3m lynx links elinks bat batcat fzf ranger nnn vifm ' +
  // They write what they are given wherever they are told, or take it out of the machine.
  'tee sponge wget aria2c rsync scp sftp ssh ssh-keygen ssh-keyscan ssh-add ssh-copy-id mosh telnet nc ncat netcat socat ' +
  'ftp lftp tftp ncftp rclone cpio pax ar 7z 7za 7zr rar unrar openssl gpg gpg2 gpgv age xdg-open open ' +
  'nmap tcpdump tshark wireshark hping3 ' +
  // They have commands of their own that start programs.
  'sqlite3 psql mysql mariadb mongo mongosh redis-cli mail mailx mutt sendmail gnuplot octave maxima gimp inkscape ' +
  'pdftex pdflatex latex tex lualatex xelatex luatex dvips gs ghostscript troff groff nroff pic eqn ptx ' +
  'convert magick mogrify identify montage compare composite ffmpeg ffprobe mplayer mpv vlc soffice libreoffice ' +
  // They change the machine.
  'apt apt-get aptitude dpkg dpkg-deb yum dnf rpm rpmbuild zypper pacman apk snap flatpak brew port emerge nix nix-shell ' +
  'nix-env systemctl loginctl hostnamectl timedatectl service init mount umount losetup mkfs fdisk parted dmsetup lvm ' +
  'modprobe insmod rmmod sysctl iptables nft ip tc ifconfig route useradd usermod userdel passwd chpasswd visudo ' +
  'chsh chfn update-alternatives ldconfig ldd crontab at batch reboot shutdown poweroff halt kexec ' +
  // They run what their files or words say.
  'npx bunx uvx pipx deno bun tsx ts-node esbuild webpack rollup ant sbt lein mix rebar3 rake bundle gem ' +
  'composer ansible ansible-playbook terraform tofu vagrant packer helm kustomize skaffold puppet chef salt ' +
  'just task invoke fab tox nox meson ninja scons bazel buck cmake ctest cpack gcc cc clang ld as ' +
  'g++ c++ clang++ rustc javac java javadoc scala kotlin kotlinc groovy gradle gradlew mvn mvnw dotnet msbuild ' +
  'yq mlr sqlmap watchman watchexec fswatch uv poetry pipenv conda mamba micromamba pdm hatch rye mise asdf nvm rbenv ' +
  'svn hg bzr fossil cvs p4 nm objdump readelf objcopy strip ar ranlib size ' +
  'pyenv volta corepack nx turbo lerna vim.basic vim.tiny vim.nox ' +
  'aspell ispell bpftrace busctl cowsay cowthink cpan dialog whiptail exiftool facter ghc grc iftop jjs jrunscript latexmk ' +
  'logrotate lwp-request lwp-download msgfilter ncdu nasm neofetch fastfetch openvpn pandoc pidstat pkg restic rpmdb rpmquery ' +
  'rpmverify rtorrent run-mailcap scrot smbclient tasksh uudecode vigr vipw virsh xdg-user-dir xdotool xetex c89 c99 debugfs ' +
  'enscript csvtool certbot dstat genisoimage xsltproc xmllint delta cloc ctags';

/** Programs that only a pattern without any wildcard allows. */
export const EXACT: ReadonlySet<string> = new Set(NAMES.split(' '));
