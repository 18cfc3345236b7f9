"""The studies that come with the suite, one YAML file each."""
