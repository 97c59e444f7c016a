import CLibYAML

/// The version of libyaml in use, such as `0.2.5`.
package func libyamlVersion() -> String { String(cString: yaml_get_version_string()) }
