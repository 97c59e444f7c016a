import Foundation
import Ledger
import Text

/// Where a ledger is kept: a repository that Git can reach, as the manifest names it.
package struct GitLocation: Hashable, Sendable {
    package enum Place: Hashable, Sendable {
        /// A remote, by its name, of the repository in which this folder lies.
        case remote(String, folder: String)
        /// An address as Git takes it. What Git is configured to do in this folder applies.
        case address(String, folder: String)
    }

    package let place: Place
    /// Below which refs: `refs/sluice`.
    package let refs: String
    /// `nil` for the host's own: six on github.com, any number elsewhere.
    package let pushesPerMinute: Int?

    package init(place: Place, refs: String = "refs/sluice", pushesPerMinute: Int? = nil) {
        self.place = place
        self.refs = refs
        self.pushesPerMinute = pushesPerMinute
    }
}

/// A remote repository with what Git needs to reach it.
struct Remote: Sendable {
    /// As Git takes it. It may hold credentials.
    let address: String
    /// For people: without credentials.
    let shown: String
    /// Set up to reach it.
    let git: GitProgram
    let pushesPerMinute: Int?

    /// Which settings of the user, the system and the checkout apply to a transfer. Whatever else is configured (hooks,
    /// signing, push options, other push addresses) does not.
    private static func isForTransfer(_ key: String) -> Bool {
        let key = key.lowercased()
        let sections = ["http.", "credential.", "url.", "ssh.", "protocol.", "safe."]
        let single = ["core.sshcommand", "core.gitproxy", "core.askpass"]
        return (sections.contains { key.hasPrefix($0) } && !key.hasSuffix(".pushinsteadof")) || single.contains(key)
    }

    private static let fixed: [(key: String, value: String)] = [
        ("core.hooksPath", "/dev/null"), ("gc.auto", "0"), ("maintenance.auto", "false"), ("push.pushOption", ""),
        ("push.gpgSign", "false"), ("push.recurseSubmodules", "no"), ("push.followTags", "false"),
        ("push.useForceIfIncludes", "false"), ("push.default", "nothing"), ("fetch.recurseSubmodules", "false"),
        ("fetch.writeCommitGraph", "false"), ("fetch.fsckObjects", "true"), ("credential.interactive", "false"),
        ("advice.pushUpdateRejected", "false"),
    ]

    /// Asks Git for the address, and for the configuration that a bare cache elsewhere would not have: that is where
    /// `actions/checkout` leaves its token.
    ///
    /// - Throws: ``LedgerError/unusable(_:)``.
    static func find(
        _ location: GitLocation, environment: [String: String], cacheFolder: String
    ) async throws(LedgerError) -> Remote {
        let git = GitProgram(environment)
        try await git.checkVersion()
        let address: String
        let folder: String
        switch location.place {
        case .remote(let name, let place):
            folder = place
            address = try await Self.address(of: name, in: folder, git)
        case .address(let text, let place): (address, folder) = (text, place)
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
        settings = settings.filter { isForTransfer($0.key) }
        let ssh = sshCommand(settings, environment)
        var program = GitProgram(environment, configuration: settings + fixed, replacesGlobal: true)
        if isFile(address), let file = try trustedFolders(settings, cacheFolder) {
            program = program.setting("GIT_CONFIG_GLOBAL", file)
        }
        if let ssh { program = program.setting("GIT_SSH_COMMAND", ssh) }
        program.secrets = secrets(in: settings)
        return Remote(
            address: address, shown: withoutCredentials(address), git: program,
            pushesPerMinute: location.pushesPerMinute ?? (isOnGitHub(address) ? 6 : nil))
    }

    /// Whose repositories a user trusts on this machine: the program that serves one reads that from a file only.
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

    /// A claim that waits for its push longer than its requests have to be sent would never bring one.
    func checkPace(_ requestTimeout: Duration) throws(LedgerError) {
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
                "'git:' means the repository in which the manifest lies, and '\(folder)' is in none"
                    + " (\(git.shown(top.errors))): write git:URL")
        }
        // Where one may push: reading elsewhere than one writes would be reading another ledger.
        let found = try await git.run(["-C", folder, "remote", "get-url", "--push", "--", name])
        let address = String(decoding: found.output, as: UTF8.self).split(separator: "\n").first.map(String.init)
        guard found.isSuccess, let address else {
            throw .unusable(
                "the repository of '\(folder)' has no remote '\(name)': add it with 'git remote add', or write git:URL")
        }
        guard isFile(address), !address.hasPrefix("/"), !address.hasPrefix("file:") else { return address }
        let folder = String(decoding: top.output, as: UTF8.self).trimmingCharacters(in: .newlines)
        return URL(fileURLWithPath: address, relativeTo: URL(fileURLWithPath: folder, isDirectory: true)).standardized
            .path
    }

    /// Neither `scheme://…` nor `host:path`.
    static func isFile(_ address: String) -> Bool {
        if let scheme = address.range(of: "://") { return address[..<scheme.lowerBound].lowercased() == "file" }
        guard let colon = address.firstIndex(of: ":") else { return true }
        return address[..<colon].contains("/")
    }

    private static func isOnGitHub(_ address: String) -> Bool {
        let rest = address.range(of: "://").map { address[$0.upperBound...] } ?? address[...]
        let authority = rest.prefix { $0 != "/" }
        let host = authority[(authority.lastIndex(of: "@").map(authority.index(after:)) ?? authority.startIndex)...]
        return host.prefix { $0 != ":" }.lowercased() == "github.com"
    }

    /// Never asks: there is nobody to answer.
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

extension GitProgram {
    fileprivate func setting(_ key: String, _ value: String) -> GitProgram {
        GitProgram(variables: environment.merging([key: value]) { $1 }, secrets: secrets)
    }

    private init(variables: [String: String], secrets: [String]) {
        environment = variables
        self.secrets = secrets
    }
}
