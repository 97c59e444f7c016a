import Foundation
import SQLiteLedger

/// Writes the files of a command atomically.
enum FileOutput {
    /// Writes a file atomically, so that a reader never sees half a plan.
    ///
    /// Symbolic links are followed. Pipes and devices are written to directly. `-` is standard output.
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
            throw Failure(.fileError, "cannot create the folder '\(folder)': \(error.localizedDescription)")
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

    init(_ path: String) throws(Failure) {
        self.path = path
        guard path != "-" else {
            (output, draft, file) = (.console, nil, path)
            return
        }
        try FileOutput.makeFolder(for: path)
        file = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        var information = stat()
        let isThere = stat(file, &information) == 0
        let kind = information.st_mode & S_IFMT
        if isThere, kind == S_IFDIR { throw Failure(.fileError, "cannot write '\(path)': it is a folder") }
        draft = isThere && kind != S_IFREG ? nil : "\(file).\(UUID().uuidString.prefix(8)).part"
        let mode = isThere ? information.st_mode & 0o777 : 0o666
        let number = draft.map { open($0, O_WRONLY | O_CREAT | O_EXCL, mode) } ?? open(file, O_WRONLY)
        guard number >= 0 else { throw Self.failure(path) }
        output = .file(number)
    }

    deinit {
        guard case .file(let number) = output else { return }
        close(number)
        // Has no effect on a complete file, which has already been renamed.
        if let draft { unlink(draft) }
    }

    func write(_ bytes: [UInt8]) throws(Failure) {
        guard case .file(let number) = output else { return Console.output(bytes) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(number, $0.baseAddress, $0.count) }
            if written < 0, errno != EINTR { throw Self.failure(path) }
            rest = rest.dropFirst(max(0, written))
        }
    }

    func finish() throws(Failure) {
        guard case .file(let number) = output, let draft else { return }
        guard fsync(number) == 0 || errno == EINVAL, rename(draft, file) == 0 else { throw Self.failure(path) }
    }

    private static func failure(_ path: String) -> Failure {
        Failure(.fileError, "cannot write '\(path)': \(String(cString: strerror(errno)))")
    }
}
