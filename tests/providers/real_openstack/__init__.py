"""Kind openstack against Keystone and Ironic from their own packages."""
