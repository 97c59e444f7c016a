import FlowRuns
import Foundation
import Manifests
import Reports
import Text

/// The files that a command line names, read once: standard input and pipes cannot be read again.
struct ManifestFiles {
    /// Sorted by path, each once.
    let sources: [SourceFile]
    /// Warnings about entries of folders that were skipped.
    let warnings: [Diagnostic]

    /// A saved plan among the files, by content.
    var savedPlan: SourceFile? { sources.first(where: \.isSavedPlan) }

    /// - Parameter paths: files of any name; `-`, which is standard input; folders, which are searched for `*.yaml` and
    ///   `*.yml`.
    /// - Throws: with status 74 for a file or folder that cannot be read, with 65 where there is no manifest.
    static func read(_ paths: [String]) throws(Failure) -> ManifestFiles {
        var search = ManifestSearch()
        for path in paths.isEmpty ? ["."] : paths { try search.add(path) }
        try search.followLinks()
        var files: [SourceFile] = []
        for path in search.files.sorted() {
            // Also a pipe, such as `<(flows.sh)` in a shell.
            let file = path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: path)
            guard let file else { throw .cannot("read", path) }
            defer { if path != "-" { try? file.close() } }
            do { files.append(SourceFile(path: path, bytes: Array(try file.readToEnd() ?? Data()))) } catch {
                throw .cannot("read", path)
            }
        }
        guard !files.isEmpty else {
            let places = paths.isEmpty ? "the current folder" : paths.map { "'\(printable($0))'" }.listed
            let reasons = search.warnings.map { "- \($0.message)" }
            throw Failure(
                .invalid,
                "there is no manifest in \(places): name the files or folders that have them (*.yaml, *.yml), or write "
                    + "the first ones with 'sluice init'", details: reasons)
        }
        return ManifestFiles(sources: files, warnings: search.warnings)
    }

    /// Reads the manifests, and diagnoses also the entries of folders that were skipped.
    ///
    /// - Throws: with status 64 where a file is a saved plan.
    func load() throws(Failure) -> (manifests: ManifestSet, diagnostics: [Diagnostic]) {
        if let savedPlan {
            let path = printable(savedPlan.path)
            throw Failure(
                .usage,
                "'\(path)' is a saved plan, and this command reads manifests; apply it alone: "
                    + "sluice apply \(shellWord(savedPlan.path))")
        }
        let (manifests, diagnostics) = ManifestLoader().load(sources)
        return (manifests, (warnings + diagnostics).sortedByPlace())
    }
}

/// A search of folders for manifests. Links are followed after everything that is reached without one. Each file and
/// folder counts once, under the path that led to it first: so a loop of links ends, and a manifest that is also
/// linked is not declared twice.
///
/// In folders only an entry that is a manifest by its name can be an error. Other entries are skipped, with a warning where
/// manifests may be missed.
struct ManifestSearch {
    /// The manifests, in the order in which they were found.
    private(set) var files: [String] = []
    /// Warnings about entries that were skipped.
    private(set) var warnings: [Diagnostic] = []
    private var links: [RawPath] = []
    private var visited: Set<FileIdentity> = []
    private var ignores: [IgnoreFile] = []

    /// Searches a folder without following its links, or adds a file of any name. `-` is standard input.
    mutating func add(_ path: String) throws(Failure) {
        guard path != "-" else {
            if !files.contains(path) { files.append(path) }
            return
        }
        let raw = RawPath(path)
        guard let status = FileStatus(raw, followsLinks: true) else { throw .cannot("read", path) }
        guard visited.insert(status.identity).inserted else { return }
        switch status.kind {
        case .folder:
            ignores += IgnoreFile.above(path)
            try search(raw, isNamed: true)
        case .other(let kind) where ManifestName(raw) == .manifest:
            // Opening a FIFO waits until another process writes to it.
            throw Failure(.fileError, "cannot read '\(printable(path))': it is a \(kind), not a file")
        // A pipe, too, such as `<(flows.sh)` in a shell.
        case .file, .link, .other: files.append(path)
        }
    }

    /// Follows the links found in folders, and the links in the folders that these lead to.
    mutating func followLinks() throws(Failure) {
        while !links.isEmpty {
            let link = links.removeFirst()
            if let status = FileStatus(link, followsLinks: true) {
                try visit(link, status)
            } else if ManifestName(link) == .manifest {
                throw .cannot("follow the link", link)
            } else {
                skip(link, "the link leads nowhere (\(String(cString: strerror(errno))))")
            }
        }
    }

    /// - Parameter isNamed: whether the command line names the folder.
    private mutating func search(_ folder: RawPath, isNamed: Bool) throws(Failure) {
        guard let names = folder.entries() else {
            guard !isNamed, [EACCES, EPERM].contains(errno) else { throw .cannot("read the folder", folder) }
            return skip(folder, "the folder cannot be read (\(String(cString: strerror(errno))))")
        }
        if let ignore = IgnoreFile(in: folder) { ignores.append(ignore) }
        for name in names where name.first != UInt8(ascii: ".") {
            let path = folder.appending(name)
            if ignores.contains(where: { $0.matches(path) }) { continue }
            guard let status = FileStatus(path, followsLinks: false) else {
                // It was removed meanwhile, unless it is a manifest.
                guard ManifestName(path) == .manifest else { continue }
                throw .cannot("read", path)
            }
            if case .link = status.kind { links.append(path) } else { try visit(path, status) }
        }
    }

    private mutating func visit(_ path: RawPath, _ status: FileStatus) throws(Failure) {
        let name = ManifestName(path)
        switch status.kind {
        case .folder:
            if visited.insert(status.identity).inserted { try search(path, isNamed: false) }
        case .file where name == .manifest:
            guard visited.insert(status.identity).inserted else { return }
            guard let text = path.text else {
                throw Failure(.fileError, "the path '\(printable(path.shown))' is not UTF-8: rename the manifest")
            }
            files.append(text)
        case .file where name == .nearMiss: skip(path, "the names of manifests end in .yaml or .yml")
        case .other(let kind) where name == .manifest: skip(path, "it is a \(kind), not a file")
        case .file, .link, .other: break
        }
    }

    private mutating func skip(_ path: RawPath, _ reason: String) {
        warnings.append(Diagnostic(.skippedEntry, .warning, at: nil, "skipped '\(printable(path.shown))': \(reason)"))
    }
}

extension ManifestSearch {
    /// Whether the search of a folder above the path would find it. The path is relative to the working folder.
    static func finds(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        guard ManifestName(RawPath(path)) == .manifest, !parts.contains(where: { $0.hasPrefix(".") }) else {
            return false
        }
        let ignores = IgnoreFile.above(path)
        return !parts.indices.contains { last in
            let entry = RawPath(parts[...last].joined(separator: "/"))
            return ignores.contains { $0.matches(entry) }
        }
    }
}

/// The entries of a folder that its file `.sluiceignore` names, one shell pattern a line. A pattern with a slash is a path
/// from that folder; any other is the name of a file or folder at any depth. Lines that begin with `#` are comments.
private struct IgnoreFile {
    private let folder: String
    private let patterns: [String]

    init?(in folder: RawPath) {
        guard let path = folder.appending(Array(".sluiceignore".utf8)).text,
            let text = try? String(contentsOfFile: path, encoding: .utf8)
        else { return nil }
        self.folder = (folder.text ?? "").folderPrefix
        patterns = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    }

    /// Reads the files in the folders above a relative path, from the working folder on.
    static func above(_ path: String) -> [IgnoreFile] {
        guard !path.hasPrefix("/"), !path.hasPrefix(".."), path != "." else { return [] }
        let parents = path.split(separator: "/").dropLast().filter { $0 != "." }
        let folders = parents.indices.map { parents[...$0].joined(separator: "/") }
        return (["."] + folders).compactMap { IgnoreFile(in: RawPath($0)) }
    }

    func matches(_ path: RawPath) -> Bool {
        guard let text = path.text, text.hasPrefix(folder) else { return false }
        let inside = String(text.dropFirst(folder.count))
        let name = inside.split(separator: "/").last.map(String.init) ?? inside
        return patterns.contains { pattern in
            let subject = pattern.contains("/") ? inside : name
            return fnmatch(pattern.hasPrefix("/") ? String(pattern.dropFirst()) : pattern, subject, 0) == 0
        }
    }
}

/// Whether an entry of a folder is a manifest, by its name.
private enum ManifestName {
    case manifest
    /// Not read, but perhaps meant to be: `flows.YML`, `flows.yaml.txt`.
    case nearMiss
    case other

    init(_ path: RawPath) {
        if path.hasSuffix(".yaml") || path.hasSuffix(".yml") {
            self = .manifest
            return
        }
        let name = path.shown.lowercased().trimmingCharacters(in: .whitespaces)
        let slips = [".yaml", ".yml", ".ymal", ".yalm", ".yam", ".yaml.txt", ".yml.txt"]
        self = slips.contains(where: name.hasSuffix) ? .nearMiss : .other
    }
}

extension String {
    /// The prefix of paths in this folder.
    var folderPrefix: String { self == "." ? "" : hasSuffix("/") ? self : self + "/" }
}

/// The type and identity of a file.
private struct FileStatus {
    enum Kind {
        case file
        case folder
        case link
        /// Anything else, with its name.
        case other(String)
    }

    let kind: Kind
    let identity: FileIdentity

    /// `nil` with `errno` set where the path leads nowhere.
    init?(_ path: RawPath, followsLinks: Bool) {
        var status = stat()
        guard path.withCString({ followsLinks ? stat($0, &status) : lstat($0, &status) }) == 0 else { return nil }
        identity = FileIdentity(status)
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            case S_IFIFO: .other("FIFO")
            case S_IFSOCK: .other("socket")
            default: .other("device")
            }
    }
}

extension Failure {
    /// Creates an error with the system's reason.
    static func cannot(_ verb: String, _ path: String) -> Failure { cannot(verb, RawPath(path)) }

    static func cannot(_ verb: String, _ path: RawPath) -> Failure {
        let reason = path.withCString { access($0, R_OK) } == 0 ? "" : ": \(String(cString: strerror(errno)))"
        return Failure(.fileError, "cannot \(verb) '\(printable(path.shown))'\(reason)")
    }
}
