import Foundation

/// Paths that begin with `~/`, which stands for `$HOME` in manifests and on the command line.
package enum HomePath {
    /// Returns the path with a `~` or `~/` at its start replaced by `$HOME`.
    ///
    /// - Throws: ``HomePathError`` when the path begins with `~user/`, or `$HOME` is not set.
    package static func expanded(_ path: String) throws(HomePathError) -> String {
        guard path.hasPrefix("~") else { return path }
        guard path == "~" || path.hasPrefix("~/") else {
            guard path.contains("/") else { return path }
            throw HomePathError(description: "\(quoted(path)): only '~/' is expanded, to $HOME; \(advice(path))")
        }
        guard let value = getenv("HOME"), value.pointee == Int8(bitPattern: UInt8(ascii: "/")) else {
            throw HomePathError(description: "\(quoted(path)) is below $HOME, which is not set to an absolute path")
        }
        guard let home = String(validatingCString: value) else {
            throw HomePathError(description: "\(quoted(path)) is below $HOME, which is not UTF-8")
        }
        return (home == "/" ? "" : home) + path.dropFirst()
    }

    /// What to write instead of a path that begins with `~user`.
    static func advice(_ path: String) -> String { "write the absolute path, or './\(path)' for a name that begins so" }
}

/// Why a path that begins with `~` cannot be used.
package struct HomePathError: Error, Hashable, CustomStringConvertible {
    package let description: String
}

extension Target.LedgerAddress {
    /// Returns the address with `~/` replaced by `$HOME`. A saved plan keeps `~/`.
    ///
    /// - Throws: ``HomePathError`` when the path begins with `~user/`, or `$HOME` is not set.
    package func resolved() throws(HomePathError) -> Target.LedgerAddress {
        switch self {
        case .sqlite(let path) where path.hasPrefix("~/"): .sqlite(path: try HomePath.expanded(path))
        case .git(let address): .git(try address.resolved())
        case .sqlite, .postgres: self
        }
    }
}
