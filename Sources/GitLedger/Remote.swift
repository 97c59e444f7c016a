import Foundation
import Ledger
import Text

/// The location of a ledger: a repository that Git can reach, as the manifest names it.
package struct GitLocation: Hashable, Sendable {
    package enum Place: Hashable, Sendable {
        /// The name of a remote, which is defined in the repository that contains the folder.
        case remote(String, folder: String)
        /// A URL or path, as Git accepts it. The Git configuration of the folder applies.
        case address(String, folder: String)
    }

    package let place: Place
    /// The prefix of all refs, such as `refs/sluice`.
    package let refs: String
    /// The maximum number of pushes per minute; `nil` for the default of the host: 6 on github.com, unlimited
    /// elsewhere.
    package let pushesPerMinute: Int?

    package init(place: Place, refs: String = "refs/sluice", pushesPerMinute: Int? = nil) {
        self.place = place
        self.refs = refs
        self.pushesPerMinute = pushesPerMinute
    }
}

/// A remote repository, with the Git configuration that is needed to reach it.
struct Remote: Sendable {
    /// The URL or path, as Git accepts it. It may contain credentials.
    let address: String
    /// The address without credentials, for messages.
    let shown: String
    /// The `git` program, configured for this remote.
    let git: GitProgram
    /// The maximum number of pushes per minute; `nil` if there is no limit.
    let pushesPerMinute: Int?

    /// Whether a setting of the user, the system or the checkout applies to transfers.
    ///
    /// All other settings, such as hooks, signing and push options, are ignored. So are those that rewrite URLs, because
    /// the address has been rewritten.
    private static func isForTransfer(_ key: String) -> Bool {
        let key = key.lowercased()
        let sections = ["http.", "credential.", "ssh.", "protocol.", "safe."]
        let single = ["core.sshcommand", "core.gitproxy", "core.askpass"]
        return sections.contains { key.hasPrefix($0) } || single.contains(key)
    }

    private static let fixed: [(key: String, value: String)] = [
        ("core.hooksPath", "/dev/null"), ("gc.auto", "0"), ("maintenance.auto", "false"), ("push.pushOption", ""),
        ("push.gpgSign", "false"), ("push.recurseSubmodules", "no"), ("push.followTags", "false"),
        ("push.useForceIfIncludes", "false"), ("push.default", "nothing"), ("fetch.recurseSubmodules", "false"),
        ("fetch.writeCommitGraph", "false"), ("fetch.fsckObjects", "true"), ("credential.interactive", "false"),
        ("advice.pushUpdateRejected", "false"),
    ]

    /// Resolves the address of a location, and reads the configuration that a bare cache elsewhere would not have.
    ///
    /// For example, `actions/checkout` stores its token in the configuration of the checkout.
    ///
    /// - Throws: `LedgerError.unusable` if Git is missing or too old, or if the location cannot be resolved.
    static func find(
        _ location: GitLocation, environment: [String: String], cacheFolder: String
    ) async throws(LedgerError) -> Remote {
        let git = GitProgram(environment)
        try await git.checkVersion()
        let folder =
            switch location.place {
            case .remote(_, let folder), .address(_, let folder): folder
            }
        let listed = try await git.output(["-C", folder, "config", "--includes", "--null", "--list"])
        var settings = listed.split(separator: 0).map { entry in
            let text = String(decoding: entry, as: UTF8.self)
            let key = text.prefix { $0 != "\n" }
            return (
                key: String(key),
                value: key.endIndex == text.endIndex ? "true" : String(text[key.endIndex...].dropFirst())
            )
        }
        // Use the address for pushing for reading too: a separate one for fetching could be a different ledger.
        let address =
            switch location.place {
            case .remote(let name, _): try await Self.address(of: name, in: folder, git)
            case .address(let text, _): rewritten(text, settings)
            }
        settings = settings.filter { isForTransfer($0.key) }
        let ssh = sshCommand(settings, environment)
        var program = GitProgram(environment, configuration: settings + fixed)
        if isFile(address), let file = try trustedFolders(settings, cacheFolder) {
            program.environment["GIT_CONFIG_GLOBAL"] = file
        }
        if let ssh { program.environment["GIT_SSH_COMMAND"] = ssh }
        program.secrets = secrets(in: settings)
        return Remote(
            address: address, shown: withoutCredentials(address), git: program,
            pushesPerMinute: location.pushesPerMinute ?? (isOnGitHub(address) ? 6 : nil))
    }

    /// Writes the user's `safe.directory` settings to a file and returns its path; `nil` if there are no such settings.
    ///
    /// The process that serves a local repository reads `safe.directory` only from a configuration file.
    private static func trustedFolders(
        _ settings: [(key: String, value: String)], _ cacheFolder: String
    ) throws(LedgerError) -> String? {
        let trusted = settings.filter { $0.key.lowercased() == "safe.directory" }.map(\.value)
        guard !trusted.isEmpty else { return nil }
        let escaped = trusted.map {
            $0.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
        }
        let text = "[safe]\n" + escaped.map { "\tdirectory = \"\($0)\"\n" }.joined()
        let folder = "\(cacheFolder)/sluice/git"
        let file = "\(folder)/trusted-\(hexadecimal(stableHash(text), width: 16))"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        } catch { throw .unusable("cannot write \(file): \(error.localizedDescription)") }
        return file
    }

    /// Checks the push rate: if a push slot takes longer than the request deadline, no claim could ever succeed.
    ///
    /// - Throws: `LedgerError.unusable` if the interval between two pushes is longer than half of
    ///   `requestTimeout`.
    func validatePushRate(_ requestTimeout: Duration) throws(LedgerError) {
        guard let pushesPerMinute, .seconds(60) / pushesPerMinute > requestTimeout / 2 else { return }
        throw .unusable(
            "with \(pushesPerMinute) pushes a minute to \(shown), a claim may wait for longer than half of the target's "
                + "requestTimeout: raise limits.requestTimeout (and settle), or set '?pushesPerMinute='")
    }

    private static func address(of name: String, in folder: String, _ git: GitProgram) async throws(LedgerError)
        -> String
    {
        let top = try await git.run(["-C", folder, "rev-parse", "--path-format=absolute", "--show-toplevel"])
        guard top.isSuccess else {
            throw .unusable(
                "'git:' needs a manifest in a Git repository, and '\(folder)' is not in one"
                    + " (\(git.shown(top.errors))): write git:URL")
        }
        let found = try await git.run(["-C", folder, "remote", "get-url", "--push", "--", name])
        let address = String(decoding: found.output, as: UTF8.self).split(separator: "\n").first.map(String.init)
        guard found.isSuccess, let address else {
            throw .unusable(
                "the repository of '\(folder)' has no remote '\(name)': add it with 'git remote add', or write git:URL")
        }
        guard isFile(address), !address.hasPrefix("/"), !address.hasPrefix("file:") else { return address }
        let path = String(decoding: top.output, as: UTF8.self).trimmingCharacters(in: .newlines) + "/" + address
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// Returns the address to which Git itself pushes: by the longest fitting `url.BASE.pushInsteadOf`, and otherwise by
    /// the longest fitting `url.BASE.insteadOf`.
    ///
    /// Git has no command that applies the former to an address.
    private static func rewritten(_ address: String, _ settings: [(key: String, value: String)]) -> String {
        for end in [".pushinsteadof", ".insteadof"] {
            let rules = settings.filter {
                $0.key.hasPrefix("url.") && $0.key.lowercased().hasSuffix(end) && address.hasPrefix($0.value)
            }
            if let rule = rules.max(by: { $0.value.utf8.count < $1.value.utf8.count }) {
                return "\(rule.key.dropFirst(4).dropLast(end.count))\(address.dropFirst(rule.value.count))"
            }
        }
        return address
    }

    /// Whether the address is a local path or a `file:` URL, as opposed to `scheme://…` and `host:path`.
    static func isFile(_ address: String) -> Bool {
        if let scheme = address.range(of: "://") { return address[..<scheme.lowerBound].lowercased() == "file" }
        guard let colon = address.firstIndex(of: ":") else { return true }
        return address[..<colon].contains("/")
    }

    private static func isOnGitHub(_ address: String) -> Bool {
        let rest = address.range(of: "://").map { address[$0.upperBound...] } ?? address[...]
        let host = rest.prefix { $0 != "/" }.split(separator: "@").last ?? ""
        return host.prefix { $0 != ":" }.lowercased() == "github.com"
    }

    /// Returns the ssh command with `BatchMode`, which disables prompts; `nil` if `GIT_SSH` names the program.
    ///
    /// A configured command that is not `ssh` is returned unchanged.
    private static func sshCommand(
        _ settings: [(key: String, value: String)], _ environment: [String: String]
    ) -> String? {
        let own = environment["GIT_SSH_COMMAND"] ?? settings.last { $0.key.lowercased() == "core.sshcommand" }?.value
        guard let own else { return environment["GIT_SSH"] == nil ? "ssh -o BatchMode=yes" : nil }
        let program = own.split(separator: " ").first.map { $0.split(separator: "/").last ?? "" }
        return program == "ssh" ? own + " -o BatchMode=yes" : own
    }

    private static func secrets(in settings: [(key: String, value: String)]) -> [String] {
        settings.filter { $0.key.lowercased().hasSuffix(".extraheader") }.flatMap { setting in
            [setting.value, setting.value.split(separator: " ").last.map(String.init) ?? ""]
        }.filter { $0.count > 3 }
    }
}
