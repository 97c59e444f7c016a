import Foundation
import SQLiteLedger

/// Writes the files of a command atomically.
enum FileOutput {
    /// Writes all of it or nothing: a reader never sees half a plan. A link is followed; what is no file (a pipe, a
    /// device) is written to as it is; `-` is standard output. A file that cannot be replaced, because it is a
    /// mount point or its folder is not writable, is written in place once it is complete.
    static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        let part = try PartialFile(path)
        try part.write(bytes)
        try part.finish()
    }

    /// Writes a file atomically, in parts.
    static func write(
        to path: String, _ body: (@escaping @Sendable ([UInt8]) throws -> Void) async throws -> Void
    ) async throws {
        let part = try PartialFile(path)
        try await body { try part.write($0) }
        try part.finish()
    }

    static func makeFolder(for path: String) throws(Failure) {
        do { try LedgerFolder.create(for: path) } catch {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            throw Failure(.fileError, "cannot create the folder '\(folder)': \(LedgerFolder.failure(of: folder))")
        }
    }
}

/// A file under a temporary name, which is renamed when it is complete.
private final class PartialFile: Sendable {
    private enum Output {
        case console
        case file(Int32)
    }

    private let path: String
    private let output: Output
    /// The temporary name; `nil` if the destination is written to directly.
    private let draft: String?
    private let file: String
    /// Whether the file was there before.
    private let exists: Bool

    init(_ path: String) throws(Failure) {
        self.path = path
        guard path != "-" else {
            (output, draft, file, exists) = (.console, nil, path, true)
            return
        }
        try FileOutput.makeFolder(for: path)
        file = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        var information = stat()
        exists = stat(file, &information) == 0
        let kind = information.st_mode & S_IFMT
        if exists, kind == S_IFDIR { throw Failure(.fileError, "cannot write '\(path)': it is a folder") }
        let mode = exists ? information.st_mode & 0o777 : 0o666
        let name = "\(UUID().uuidString.prefix(8)).part"
        // In the same folder, so that a rename replaces the file. Where that folder is not writable, the draft is copied.
        var drafts = ["\(file).\(name)"]
        if exists, access(file, W_OK) == 0 { drafts.append(NSTemporaryDirectory() + "sluice-\(name)") }
        if exists, kind != S_IFREG { drafts = [] }
        var opened: (draft: String?, number: Int32) = (nil, -1)
        for draft in drafts where opened.number < 0 {
            opened = (draft, open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode))
        }
        if opened.number < 0, exists {
            let emptying = kind == S_IFREG ? O_TRUNC : 0
            opened = (nil, open(file, O_WRONLY | O_CLOEXEC | emptying))
        }
        guard opened.number >= 0 else { throw Self.failure(path) }
        draft = opened.draft
        output = .file(opened.number)
    }

    deinit {
        guard case .file(let number) = output else { return }
        close(number)
        // Has no effect on a complete file, which has already been renamed.
        if let draft { unlink(draft) }
    }

    func write(_ bytes: [UInt8]) throws(Failure) {
        guard case .file(let number) = output else { return Console.output(bytes) }
        try write(bytes[...], to: number)
    }

    private func write(_ bytes: ArraySlice<UInt8>, to number: Int32) throws(Failure) {
        guard writeAll(bytes, to: number) == 0 else { throw Self.failure(path) }
    }

    func finish() throws(Failure) {
        guard case .file(let number) = output, let draft else { return }
        try synchronize(number)
        if rename(draft, file) == 0 { return }
        // The file is a mount point, another user's in a sticky folder, or on another file system than the draft.
        guard exists, [EBUSY, EXDEV, EPERM, EACCES, EROFS].contains(errno) else { throw Self.failure(path) }
        try copy(number)
    }

    /// Writes the whole draft over the file.
    private func copy(_ number: Int32) throws(Failure) {
        let target = open(file, O_WRONLY | O_CLOEXEC)
        guard target >= 0 else { throw Self.failure(path) }
        defer { close(target) }
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        var length: off_t = 0
        while true {
            let count = pread(number, &chunk, chunk.count, length)
            guard count >= 0 else { throw Self.failure(path) }
            if count == 0 { break }
            try write(chunk[..<count], to: target)
            length += off_t(count)
        }
        guard ftruncate(target, length) == 0 else { throw Self.failure(path) }
        try synchronize(target)
    }

    private func synchronize(_ number: Int32) throws(Failure) {
        guard fsync(number) == 0 || errno == EINVAL else { throw Self.failure(path) }
    }

    private static func failure(_ path: String) -> Failure {
        Failure(.fileError, "cannot write '\(path)': \(String(cString: strerror(errno)))")
    }
}
