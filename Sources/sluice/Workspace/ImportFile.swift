import Foundation
import Ledger
import Text

/// An export file that is read in parts.
final class ImportFile: ExportBytes {
    private let number: Int32
    /// The whole content of a file that cannot be read twice, such as a pipe; otherwise `nil`.
    private let bufferedBytes: [UInt8]?

    init(_ path: String) throws(Failure) {
        number = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY)
        guard number >= 0 else { throw .cannot("read", path) }
        var status = stat()
        if fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
            bufferedBytes = nil
        } else {
            let handle = FileHandle(fileDescriptor: number, closeOnDealloc: false)
            guard let bytes = try? handle.readToEnd() ?? Data() else { throw .cannot("read", path) }
            bufferedBytes = Array(bytes)
        }
    }

    deinit { close(number) }

    func read(from offset: Int, count: Int) throws(LedgerImportError) -> [UInt8] {
        if let bufferedBytes { return bufferedBytes.read(from: offset, count: count) }
        var readCount = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            repeat {
                readCount = pread(number, buffer.baseAddress, count, off_t(offset))
            } while readCount < 0 && errno == EINTR
            initialized = max(0, readCount)
        }
        guard readCount >= 0 else { throw .unreadable(String(cString: strerror(errno))) }
        return bytes
    }
}
