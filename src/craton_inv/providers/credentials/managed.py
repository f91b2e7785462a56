"""AWX's managed credential types that inventories and projects need, by namespace."""

from craton_inv.providers.credentials.definitions import SSH_PRIVATE_KEY, CredentialTypeDefinition, InputField

USERNAME = InputField("username", "Username")
PASSWORD = InputField("password", "Password", secret=True)
VERIFY_SSL = InputField("verify_ssl", "Verify SSL", type="boolean", default=True)
KEY_PASSPHRASE = InputField("ssh_key_unlock", "Private Key Passphrase", secret=True)


def _private_key(label: str, help_text: str = "") -> InputField:
    return InputField("ssh_key_data", label, secret=True, multiline=True, format=SSH_PRIVATE_KEY, help_text=help_text)


def _host(label: str, help_text: str) -> InputField:
    return InputField("host", label, help_text=help_text)


_CONTROLLER = {
    "HOST": "{{host}}",
    "USERNAME": "{{username}}",
    "PASSWORD": "{{password}}",
    "VERIFY_SSL": "{{verify_ssl}}",
    "OAUTH_TOKEN": "{{oauth_token}}",
}
_OVIRT_INI = (
    "[ovirt]\novirt_url={{host}}\novirt_username={{username}}\novirt_password={{password}}\n"
    "{% if ca_file %}ovirt_ca_file={{ca_file}}{% endif %}"
)

_TYPES = (
    CredentialTypeDefinition(
        "aws",
        "cloud",
        "Amazon Web Services",
        (
            InputField("username", "Access Key"),
            InputField("password", "Secret Key", secret=True),
            InputField("security_token", "STS Token", secret=True, help_text="The token of temporary credentials."),
        ),
        ("username", "password"),
    ),
    CredentialTypeDefinition(
        "azure_rm",
        "cloud",
        "Microsoft Azure Resource Manager",
        (
            InputField("subscription", "Subscription ID", help_text="The subscription whose machines are read."),
            USERNAME,
            PASSWORD,
            InputField("client", "Client ID"),
            InputField("secret", "Client Secret", secret=True),
            InputField("tenant", "Tenant ID"),
            InputField("cloud_environment", "Azure Cloud Environment", help_text="For Azure GovCloud or Azure Stack."),
        ),
        ("subscription",),
    ),
    CredentialTypeDefinition(
        "controller",
        "cloud",
        "Red Hat Ansible Automation Platform",
        (
            _host("Red Hat Ansible Automation Platform", "Base URL of the controller to read."),
            InputField("username", "Username", help_text="Leave empty when there is an OAuth token."),
            PASSWORD,
            InputField("oauth_token", "OAuth Token", secret=True, help_text="Takes the place of name and password."),
            InputField("verify_ssl", "Verify SSL", type="boolean"),
        ),
        ("host",),
        {"env": {f"{prefix}_{name}": text for prefix in ("TOWER", "CONTROLLER") for name, text in _CONTROLLER.items()}},
    ),
    CredentialTypeDefinition(
        "gce",
        "cloud",
        "Google Compute Engine",
        (
            InputField("username", "Service Account Email Address", help_text="Address of the service account."),
            InputField("project", "Project", help_text="The ID of the project, such as my-project-123."),
            _private_key("RSA Private Key", "The PEM file of the service account."),
        ),
        ("username", "ssh_key_data"),
    ),
    CredentialTypeDefinition(
        "insights",
        "insights",
        "Insights",
        (USERNAME, PASSWORD),
        ("username", "password"),
        {
            "extra_vars": {"scm_username": "{{username}}", "scm_password": "{{password}}"},
            "env": {"INSIGHTS_USER": "{{username}}", "INSIGHTS_PASSWORD": "{{password}}"},
        },
    ),
    CredentialTypeDefinition(
        "kubernetes_bearer_token",
        "kubernetes",
        "OpenShift or Kubernetes API Bearer Token",
        (
            _host("OpenShift or Kubernetes API Endpoint", "URL of the API."),
            InputField("bearer_token", "API authentication bearer token", secret=True),
            VERIFY_SSL,
            InputField("ssl_ca_cert", "Certificate Authority data", secret=True, multiline=True),
        ),
        ("host", "bearer_token"),
    ),
    CredentialTypeDefinition(
        "openstack",
        "cloud",
        "OpenStack",
        (
            USERNAME,
            InputField("password", "Password (API Key)", secret=True),
            _host("Host (Authentication URL)", "URL of Keystone, such as https://openstack.example.com:5000/v3."),
            InputField("project", "Project (Tenant Name)"),
            InputField("project_domain_name", "Project (Domain Name)"),
            InputField("domain", "Domain Name", help_text="The domain of the user, with Keystone v3."),
            InputField("region", "Region Name", help_text="Where the cloud has several."),
            VERIFY_SSL,
        ),
        ("username", "password", "host", "project"),
    ),
    CredentialTypeDefinition(
        "rhv",
        "cloud",
        "Red Hat Virtualization",
        (
            _host("Host (Authentication URL)", "URL of the engine's API."),
            USERNAME,
            PASSWORD,
            InputField("ca_file", "CA File", help_text="Absolute path of the file with the CA to trust."),
        ),
        ("host", "username", "password"),
        {
            "file": {"template": _OVIRT_INI},
            "env": {
                "OVIRT_INI_PATH": "{{tower.filename}}",
                "OVIRT_URL": "{{host}}",
                "OVIRT_USERNAME": "{{username}}",
                "OVIRT_PASSWORD": "{{password}}",
            },
        },
    ),
    CredentialTypeDefinition(
        "satellite6",
        "cloud",
        "Red Hat Satellite 6",
        (_host("Satellite 6 URL", "URL of the server, such as https://satellite.example.com."), USERNAME, PASSWORD),
        ("host", "username", "password"),
    ),
    CredentialTypeDefinition(
        "scm",
        "scm",
        "Source Control",
        (USERNAME, PASSWORD, _private_key("SCM Private Key"), KEY_PASSPHRASE),
    ),
    CredentialTypeDefinition(
        "terraform",
        "cloud",
        "Terraform backend configuration",
        (
            InputField(
                "configuration",
                "Backend configuration",
                secret=True,
                multiline=True,
                help_text="The settings of the backend, as in terraform init -backend-config.",
            ),
            InputField("gce_credentials", "Google Cloud Platform account credentials", secret=True, multiline=True),
        ),
        ("configuration",),
    ),
    CredentialTypeDefinition(
        "vmware",
        "cloud",
        "VMware vCenter",
        (_host("VCenter Host", "Name or address of the vCenter."), USERNAME, PASSWORD),
        ("host", "username", "password"),
    ),
)

MANAGED = {each.namespace: each for each in _TYPES}
