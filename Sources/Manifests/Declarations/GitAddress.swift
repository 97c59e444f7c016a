/// A ledger in a Git repository: `git:`, `git:NAME` or `git:URL`.
package struct GitAddress: Hashable, Sendable, CustomStringConvertible {
    package enum Repository: Hashable, Sendable {
        /// A remote, by name, of the repository that contains the folder.
        case remote(String)
        /// A URL or path in the form that Git accepts.
        case address(String)
    }

    package let repository: Repository
    /// The manifest's folder, relative to the working directory; empty for the working directory itself.
    package let folder: String
    /// The ref prefix of the ledger; `nil` for the default.
    package let refs: String?
    package let pushesPerMinute: Int?

    /// Parses the output of ``description`` without validation.
    init(_ description: String) {
        let text = description.dropFirst("git:".count)
        let parameters = Self.parameters(of: text)
        let name = String(parameters == nil ? text : text[..<(text.lastIndex(of: "?") ?? text.endIndex)])
        let isAddress = name.contains("/") || name.contains(":")
        repository = isAddress ? .address(name) : .remote(name.isEmpty ? "origin" : name)
        folder = parameters?["folder"] ?? ""
        refs = parameters?["refs"]
        pushesPerMinute = parameters?["pushesPerMinute"].flatMap { Int($0) }
    }

    private init(_ repository: Repository, folder: String, refs: String?, pushesPerMinute: Int?) {
        self.repository = repository
        self.folder = folder
        self.refs = refs
        self.pushesPerMinute = pushesPerMinute
    }

    /// The address with `~/` replaced by `$HOME`.
    func resolved() throws(HomePathError) -> GitAddress {
        guard case .address(let path) = repository, path.hasPrefix("~/") else { return self }
        return GitAddress(
            .address(try HomePath.expanded(path)), folder: folder, refs: refs, pushesPerMinute: pushesPerMinute)
    }

    /// The address as a manifest in the working folder would spell it.
    package var description: String {
        let name =
            switch repository {
            case .remote("origin"): ""
            case .remote(let name): name
            case .address(let address): address
            }
        let parameters = [
            folder.isEmpty ? nil : "folder=\(folder)", refs.map { "refs=\($0)" },
            pushesPerMinute.map { "pushesPerMinute=\($0)" },
        ].compactMap(\.self)
        return "git:\(name)" + (parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&"))
    }

    /// Returns the parameters after the last question mark; `nil` if there are none.
    private static func parameters(of text: Substring) -> [String: String]? {
        guard let mark = text.lastIndex(of: "?") else { return nil }
        var parameters: [String: String] = [:]
        for pair in text[text.index(after: mark)...].split(separator: "&", omittingEmptySubsequences: false) {
            guard let equals = pair.firstIndex(of: "=") else { return nil }
            parameters[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
        }
        return parameters
    }
}

extension GitAddress {
    /// Parses and validates an address as written by a person.
    ///
    /// - Parameter manifestFolder: the base of relative paths, with a trailing slash, or empty.
    init(written text: String, in manifestFolder: Substring) throws(LedgerAddressError) {
        let unchecked = GitAddress(text)
        let folder = manifestFolder + (unchecked.folder == "." ? "" : unchecked.folder)
        self.init(
            try Self.checked(unchecked.repository, text, in: manifestFolder), folder: Self.plain(folder),
            refs: try unchecked.refs.map { (refs) throws(LedgerAddressError) in try Self.checked(refs: refs) },
            pushesPerMinute: unchecked.pushesPerMinute)
        let known = ["folder", "refs", "pushesPerMinute"]
        let parameters = Self.parameters(of: text[...]) ?? [:]
        if let unknown = parameters.keys.filter({ !known.contains($0) }).min() {
            throw LedgerAddressError(
                "the address of a ledger in Git has no parameter \(quoted(unknown))",
                suggestion: nearest(to: unknown, among: known).map { "did you mean '\($0)'?" }
                    ?? "write refs=… or pushesPerMinute=…")
        }
        if let number = parameters["pushesPerMinute"], !(1...9_999).contains(pushesPerMinute ?? 0) {
            throw LedgerAddressError(
                "pushesPerMinute is \(quoted(number))", suggestion: "write a whole number from 1 to 9999")
        }
    }

    private static func checked(
        _ repository: Repository, _ text: String, in manifestFolder: Substring
    ) throws(LedgerAddressError) -> Repository {
        let suggestion = "write 'git:' for this repository's origin, git:REMOTE, or git:URL (https, ssh or file)"
        let invalid = LedgerAddressError("invalid ledger address \(quoted(text))", suggestion: suggestion)
        switch repository {
        case .remote(let name):
            let isName = name.utf8.allSatisfy { $0.isASCIIWordByte } && !name.hasPrefix("-") && !name.hasPrefix(".")
            guard isName else { throw invalid }
            return repository
        case .address(let address):
            guard !address.hasPrefix("-"), address.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw invalid
            }
            guard address.contains("://") else {
                // Accept `host:path`, or a path. Refuse `ext::…`, which would run a program.
                guard !address.contains("::") else { throw invalid }
                let isHost = address.firstIndex(of: ":").map { !address[..<$0].contains("/") } ?? false
                guard !address.hasPrefix("~") || address.hasPrefix("~/") else {
                    throw LedgerAddressError(
                        "\(quoted(text)): only '~/' is expanded, to $HOME", suggestion: HomePath.advice(address))
                }
                if isHost || address.hasPrefix("/") || address.hasPrefix("~/") { return .address(address) }
                let path = plain(manifestFolder + address)
                // A folder that is named '~' is not the home folder.
                return .address(path.hasPrefix("~") ? "./" + path : path)
            }
            guard let url = AddressParts(address), ["https", "http", "ssh", "file"].contains(url.scheme) else {
                throw invalid
            }
            guard url.user == nil || (url.scheme == "ssh" && withoutSecrets(address) == address) else {
                throw LedgerAddressError(
                    "the address of the ledger contains credentials",
                    suggestion: "remove them: Git finds credentials by its own configuration", code: .secretInManifest)
            }
            return repository
        }
    }

    /// Validates a ref prefix by the rules of `git check-ref-format`.
    private static func checked(refs: String) throws(LedgerAddressError) -> String {
        let parts = refs.split(separator: "/", omittingEmptySubsequences: false)
        let isName = parts.allSatisfy { part in
            !part.isEmpty && !part.hasPrefix(".") && !part.hasPrefix("-") && !part.hasSuffix(".lock")
                && !part.contains("..") && part.utf8.allSatisfy(\.isASCIIWordByte)
        }
        guard isName, parts.count >= 2, parts[0] == "refs" else {
            throw LedgerAddressError(
                "refs is \(quoted(refs))",
                suggestion: "write refs/sluice, or refs/heads/sluice where branches are needed")
        }
        return refs
    }

    private static func plain(_ folder: some StringProtocol) -> String {
        var text = String(folder)
        while text.hasPrefix("./") { text.removeFirst(2) }
        return text
    }
}

extension UInt8 {
    /// Whether the byte is a letter, a digit, `.`, `_` or `-`.
    fileprivate var isASCIIWordByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
