import FlowRuns
import Foundation
import Text

/// A search of folders for manifests.
///
/// Symbolic links are followed last. Each file and folder counts once, under the first path that leads to it, so loops
/// of links terminate, and a linked manifest is not declared twice.
struct ManifestSearch {
    /// The manifests, in the order in which they were found.
    private(set) var files: [String] = []
    private var links: [String] = []
    private var seen: Set<FileStatus.Identity> = []

    /// Adds a file with any name, or searches a folder. Links in the folder are followed later.
    mutating func add(_ path: String) throws(Failure) {
        guard let status = FileStatus(path, followsLinks: true) else { throw .cannot("read", path) }
        guard seen.insert(status.identity).inserted else { return }
        if status.kind == .folder { try search(path) } else { files.append(path) }
    }

    /// Follows the links found in folders, and the links in the folders that these lead to.
    mutating func followLinks() throws(Failure) {
        while !links.isEmpty {
            let link = links.removeFirst()
            guard let status = FileStatus(link, followsLinks: true) else { throw .cannot("follow the link", link) }
            try take(link, status)
        }
    }

    private mutating func search(_ folder: String) throws(Failure) {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw .cannot("read the folder", folder)
        }
        let prefix = folder.folderPrefix
        for name in names.sorted() where !name.hasPrefix(".") {
            let path = prefix + name
            guard let status = FileStatus(path, followsLinks: false) else { throw .cannot("read", path) }
            if status.kind == .link { links.append(path) } else { try take(path, status) }
        }
    }

    private mutating func take(_ path: String, _ status: FileStatus) throws(Failure) {
        let isManifest = status.kind == .file && (path.hasSuffix(".yaml") || path.hasSuffix(".yml"))
        guard isManifest || status.kind == .folder, seen.insert(status.identity).inserted else { return }
        if isManifest { files.append(path) } else { try search(path) }
    }
}

extension String {
    /// The prefix of paths in this folder.
    var folderPrefix: String { self == "." ? "" : hasSuffix("/") ? self : self + "/" }
}

/// The type and identity of a file.
private struct FileStatus {
    enum Kind {
        case file, folder, link, other
    }

    struct Identity: Hashable {
        let device: UInt64
        let number: UInt64
    }

    let kind: Kind
    let identity: Identity

    /// Reads the status; returns `nil` and sets `errno` if the path does not exist.
    init?(_ path: String, followsLinks: Bool) {
        var status = stat()
        guard (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
        identity = Identity(device: UInt64(truncatingIfNeeded: status.st_dev), number: UInt64(status.st_ino))
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
    }
}

extension Failure {
    /// Creates a failure with the system's error message.
    static func cannot(_ verb: String, _ path: String) -> Failure {
        let reason = access(path, R_OK) == 0 ? "" : ": \(String(cString: strerror(errno)))"
        return Failure(.fileError, "cannot \(verb) '\(printable(path))'\(reason)")
    }
}
