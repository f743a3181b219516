"""What lies in a home folder and is none of an agent's business, and what it may see of a view.

A table of names stays a table of names: what a program puts elsewhere is found only if one of the
variables below leads to it.
"""

from collections.abc import Mapping
from typing import Final

SECRETS: Final = (
    # keys and passwords
    ".ssh", ".gnupg", ".netrc", "_netrc", ".pgpass", ".my.cnf", ".mylogin.cnf", ".password-store",
    ".authinfo", ".authinfo.gpg", ".vault-token", ".age", ".config/sops", ".config/age", ".putty",
    ".smbcredentials", ".davfs2", ".msmtprc", ".mbsyncrc", ".fetchmailrc", ".lftp", ".rclone.conf",
    ".config/rclone", ".config/op", ".1password", ".bitwarden", ".config/Bitwarden",
    ".config/Bitwarden CLI", ".config/keepassxc", ".local/share/keyrings", ".local/share/kwalletd",
    ".gnome2/keyrings", ".electrum", ".bitcoin", ".ethereum", ".config/solana", ".minisign",
    ".pki", ".certs", ".step", ".config/containers/auth.json", ".config/hub", ".config/gh",
    ".config/glab-cli", ".config/tea", ".config/github-copilot", ".config/git/credentials",
    ".git-credentials", ".git-credential-cache", ".cache/git/credential", ".config/filezilla",
    # clouds and clusters
    ".aws", ".azure", ".config/gcloud", ".boto", ".gsutil", ".oci", ".aliyun", ".bluemix",
    ".config/doctl", ".config/hcloud", ".config/scw", ".config/linode-cli", ".config/flyctl",
    ".fly", ".config/heroku", ".config/netlify", ".netlify", ".config/vercel", ".vercel",
    ".local/share/com.vercel.cli", ".wrangler", ".config/.wrangler", ".config/stripe", ".kube",
    ".helm", ".config/helm", ".docker", ".minikube", ".terraform.d", ".terraformrc", ".pulumi",
    ".databrickscfg", ".snowsql", ".dbt", ".s3cfg", ".config/openstack", ".rhosts", ".krb5",
    ".config/argocd", ".config/ngrok", ".ngrok2", ".tsh", ".cloudflared", ".okta",
    # where packages come from and go to
    ".npmrc", ".yarnrc", ".yarnrc.yml", ".pypirc", ".config/pip", ".pip", ".config/uv",
    ".config/pypoetry", ".local/share/uv/credentials", ".condarc", ".gem/credentials",
    ".bundle/config", ".cargo/credentials", ".cargo/credentials.toml", ".m2/settings.xml",
    ".m2/settings-security.xml", ".gradle/gradle.properties", ".sbt/.credentials",
    ".ivy2/.credentials", ".nuget/NuGet/NuGet.Config", ".composer/auth.json",
    ".config/composer/auth.json", ".hex/hex.config", ".huggingface", ".kaggle",
    ".config/huggingface", ".wandb", ".config/wandb",
    # what was typed, copied, browsed
    ".bash_history", ".zsh_history", ".zhistory", ".zsh_sessions", ".bash_sessions", ".history",
    ".local/share/fish/fish_history", ".python_history", ".node_repl_history", ".psql_history",
    ".mysql_history", ".sqlite_history", ".rediscli_history", ".lesshst", ".viminfo",
    ".local/share/atuin", ".mozilla", ".config/google-chrome", ".config/chromium",
    ".config/BraveSoftware", ".config/microsoft-edge", ".config/vivaldi", ".config/opera",
    ".librewolf", ".thunderbird", "snap/firefox", "snap/chromium", ".var/app", ".config/Code",
    ".config/Cursor", ".vscode-server/data", ".config/Slack", ".config/discord", ".config/Signal",
    ".local/share/TelegramDesktop", ".config/evolution", ".local/share/evolution", ".purple",
    # sockets that give away the machine
    ".docker/run", ".docker/desktop", ".colima", ".rd", ".lima", ".orbstack",
    ".local/share/containers",
)  # fmt: skip
"""Below the home folder; absent in a sandbox."""

AGENTS: Final = (
    ".claude", ".claude.json", ".claude.json.backup", ".config/claude", ".codex", ".gemini",
    ".config/opencode", ".local/share/opencode", ".local/state/opencode", ".aider.conf.yml",
    ".aider", ".config/mini-swe-agent", ".cursor", ".copilot", ".config/goose",
    ".local/share/goose", ".qwen", ".continue", ".codeium", ".config/amp", ".local/share/amp",
    ".factory", ".crush", ".config/crush", ".local/share/crush", ".kiro", ".llm",
    ".config/io.datasette.llm", ".config/zed",
)  # fmt: skip
"""The logins, memories and settings of agents, below the home folder; absent, but for those of the
agent that works.
"""

CACHES: Final = (
    ".cache", ".npm", ".pnpm-store", ".local/share/pnpm/store", ".yarn", ".bun/install/cache",
    ".cargo/registry", ".cargo/git", ".gradle/caches", ".m2/repository", ".nuget/packages",
    ".local/state/virtualenv",
)  # fmt: skip
"""Below the home folder; a folder of the sandbox's own lies there, empty and writable."""

SYSTEM: Final = (
    "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers",
    "/etc/sudoers.d", "/etc/ssl/private", "/etc/pki/tls/private", "/etc/letsencrypt",
    "/etc/krb5.keytab", "/etc/wireguard", "/etc/openvpn", "/etc/NetworkManager",
    "/etc/kubernetes", "/etc/docker", "/etc/rancher", "/etc/cups", "/etc/ppp",
    "/etc/security/opasswd",
    "/var/lib/docker", "/var/lib/containerd", "/var/lib/containers", "/var/lib/kubelet",
    "/var/lib/sss", "/var/lib/NetworkManager", "/var/lib/cloud", "/var/spool", "/var/mail",
    "/var/log", "/var/backups", "/mnt/wsl", "/mnt/wslg",
)  # fmt: skip
"""Absent, too: what only root can read, and gitcmat may well be started by root. Keys of the SSH
server are beside settings that programs need: `SSH_SERVER_KEYS` finds them.
"""

SSH_SERVER_KEYS: Final = ("/etc/ssh", "ssh_host_*_key")
"""A folder, and the pattern of names in it."""

HOMES: Final = ("/home", "/root", "/var/home", "/Users")
"""Where the homes of people are; those of others are absent."""

TEMPORARY: Final = ("/tmp", "/var/tmp")  # noqa: S108 - to keep the sandbox out of them
"""Folders of the sandbox's own lie there."""

SOCKETS: Final = ("/run", "/var/run")
"""Where other programs listen: absent."""

LEADING: Final = (
    "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AZURE_CONFIG_DIR", "BOTO_CONFIG",
    "CLOUDSDK_CONFIG", "DOCKER_CONFIG", "GH_CONFIG_DIR", "GLAB_CONFIG_DIR", "GNUPGHOME",
    "GOOGLE_APPLICATION_CREDENTIALS", "HELM_CONFIG_HOME", "HISTFILE", "KUBECONFIG", "MINIKUBE_HOME",
    "NETRC", "NPM_CONFIG_USERCONFIG", "OCI_CLI_CONFIG_FILE", "PASSWORD_STORE_DIR", "PGPASSFILE",
    "PIP_CONFIG_FILE", "PULUMI_HOME", "RCLONE_CONFIG", "TF_CLI_CONFIG_FILE", "VAULT_CONFIG_PATH",
    "CLAUDE_CONFIG_DIR", "CODEX_HOME", "DOCKER_CERT_PATH", "KRB5CCNAME", "SSH_AUTH_SOCK",
)  # fmt: skip
"""Variables that lead to a place of secrets; those with several paths separate them by colons."""

_XDG: Final = (
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_CACHE_HOME", ".cache"),
    ("XDG_DATA_HOME", ".local/share"),
    ("XDG_STATE_HOME", ".local/state"),
)


def below(home: str, names: tuple[str, ...], env: Mapping[str, str]) -> list[str]:
    """Each of `names` below `home`, and where the XDG variables of `env` move it to."""
    found = [f"{home}/{name}" for name in names]
    for variable, usual in _XDG:
        moved = env.get(variable, "")
        if moved.startswith("/") and moved != f"{home}/{usual}":
            found += [f"{moved}{n.removeprefix(usual)}" for n in names if _is_in(n, usual)]
    return found


def led_to(env: Mapping[str, str]) -> list[str]:
    """Where the variables of `env` lead that name places of secrets."""
    values = [part for name in LEADING for part in env.get(name, "").split(":")]
    return [value for value in values if value.startswith("/") and value.count("/") > 1]


def _is_in(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}/")
