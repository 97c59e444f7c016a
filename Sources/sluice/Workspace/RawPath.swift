import Foundation
import Text

/// A path as the file system keeps it: its bytes need not be UTF-8.
struct RawPath: Hashable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(_ text: String) { bytes = Array(text.utf8) }

    /// `nil` where the bytes are not UTF-8.
    var text: String? { String(validating: bytes, as: UTF8.self) }

    /// The path for messages: each byte that is not UTF-8 as `\xE9`.
    var shown: String {
        var shown = ""
        var rest = bytes[...]
        while let byte = rest.first {
            let character = (1...4).lazy.compactMap { String(validating: rest.prefix($0), as: UTF8.self) }.first
            shown += character ?? "\\x" + String(UInt16(byte) + 0x100, radix: 16, uppercase: true).dropFirst()
            rest = rest.dropFirst(character?.utf8.count ?? 1)
        }
        return shown
    }

    func hasSuffix(_ suffix: String) -> Bool { bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }

    /// The path of an entry of this folder.
    func appending(_ name: [UInt8]) -> RawPath {
        if bytes == Array(".".utf8) { return RawPath(name) }
        return RawPath(bytes + (bytes.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]) + name)
    }

    func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
        (bytes + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                // Never empty: the buffer ends with a zero byte.
                guard let start = characters.baseAddress else { return "".withCString(body) }
                return body(start)
            }
        }
    }

    /// The names in this folder without `.` and `..`, sorted by their bytes; `nil` with `errno` set where it cannot be read.
    func entries() -> [[UInt8]]? {
        guard let folder = withCString({ opendir($0) }) else { return nil }
        defer { closedir(folder) }
        var names: [[UInt8]] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }
}

/// Refuses paths that are not UTF-8: Swift strings cannot hold them, and what they would be repaired to is another path.
enum PathEncoding {
    /// Checks the arguments, the working folder and the folders of the environment that the command uses.
    static func check(_ command: String?) throws(Failure) {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let argument = rawPath(CommandLine.unsafeArgv[index]), argument.text == nil else { continue }
            throw Failure(
                .usage,
                "the argument '\(printable(argument.shown))' is not UTF-8: rename what it names")
        }
        guard let command, !command.hasPrefix("-"), !["help", "schema", "version"].contains(command) else { return }
        let folder = getcwd(nil, 0)
        defer { free(folder) }
        if let folder = rawPath(folder), folder.text == nil {
            throw Failure(
                .configuration,
                "the path of the working folder, '\(printable(folder.shown))', is not UTF-8: work in another folder")
        }
        guard !["simulate", "validate"].contains(command) else { return }
        let names = ["XDG_STATE_HOME", "XDG_CACHE_HOME"]
        try check(names.allSatisfy { getenv($0)?.pointee == CChar(UInt8(ascii: "/")) } ? names : names + ["HOME"])
    }

    private static func check(_ variables: [String]) throws(Failure) {
        for name in variables {
            guard let path = rawPath(getenv(name)), path.text == nil else { continue }
            let hint =
                name == "HOME"
                ? "set XDG_STATE_HOME and XDG_CACHE_HOME to folders with other names" : "set another folder"
            throw Failure(.configuration, "\(name) is '\(printable(path.shown))', which is not UTF-8: \(hint)")
        }
    }

    private static func rawPath(_ text: UnsafePointer<CChar>?) -> RawPath? {
        text.map { RawPath(UnsafeBufferPointer(start: $0, count: strlen($0)).map(UInt8.init(bitPattern:))) }
    }
}
