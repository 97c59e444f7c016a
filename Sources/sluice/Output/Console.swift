import ArgumentParser
import Foundation
import Logging
import Reports
import Synchronization

/// The standard streams: results go to standard output, everything else to standard error.
enum Console {
    static func output(_ line: StyledText) { output(Array([line].page.utf8)) }

    /// Writes to standard output.
    ///
    /// Write errors never abort the command, because an apply must keep recording; they are reported at exit.
    static func output(_ bytes: [UInt8]) {
        let number = write(bytes, to: STDOUT_FILENO)
        if number != 0 { outputError.withLock { $0 = number } }
    }

    private static let outputError = Mutex<Int32>(0)

    /// The error that made standard output incomplete; `nil` if there was none.
    static var outputFailure: String? {
        let number = outputError.withLock { $0 }
        return number == 0 ? nil : "cannot write to standard output: \(String(cString: strerror(number)))"
    }

    /// Prints a line to standard error, on a terminal wrapped between words; in a pipe, lines stay whole.
    static func printNote(_ line: StyledText) {
        printNote(TextStyle(width: isErrorTerminal ? width : nil).wrap(line))
    }

    static func printNote(_ lines: [StyledText]) { printNote(Array(lines.page.utf8)) }

    static func printNote(_ bytes: [UInt8]) { write(bytes, to: STDERR_FILENO) }

    static func error(_ message: String) {
        if !message.isEmpty { printNote("error: \(message)") }
    }

    /// Overwrites the current line, without a line break at its end.
    static func redraw(_ line: StyledText) { write(Array("\r\u{1B}[K\(line.line)".utf8), to: STDERR_FILENO) }

    /// Clears the screen.
    static func clearScreen() { output([StyledText]().overdrawn) }

    /// Prints a question and reads the answer; returns `nil` at the end of the input.
    static func ask(_ question: StyledText) -> String? {
        write(Array("\(question.line) ".utf8), to: STDERR_FILENO)
        return readLine()?.trimmingCharacters(in: .whitespaces)
    }

    static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    static var isInputTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// The terminal's width in columns; otherwise `COLUMNS`, or 100.
    static var width: Int {
        terminalSize.map { Int($0.ws_col) } ?? ProcessInfo.processInfo.environment["COLUMNS"].flatMap(Int.init) ?? 100
    }

    /// The terminal's height in rows, or 24 if unknown.
    static var height: Int { terminalSize.map { Int($0.ws_row) } ?? 24 }

    private static var terminalSize: winsize? {
        var size = winsize()
        for descriptor in [STDOUT_FILENO, STDERR_FILENO]
        where ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 && size.ws_row > 0 {
            return size
        }
        return nil
    }

    /// Ignores SIGPIPE, so that a write to a closed pipe fails instead of ending the process: `sluice apply | head`
    /// still records its requests.
    static func ignoreClosedPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Writes all bytes. A closed pipe (`sluice plan | head`) is not an error: the remaining bytes are dropped.
    ///
    /// - Returns: The `errno` of the failure, or 0.
    @discardableResult
    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        let number = writeAll(bytes[...], to: descriptor)
        return number == EPIPE ? 0 : number
    }
}

/// Writes all bytes to an open file.
///
/// - Returns: The `errno` of the failure, or 0.
func writeAll(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int32 {
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            rest = rest.dropFirst(count)
        } else if errno != EINTR && errno != EAGAIN {
            return errno
        }
    }
    return 0
}

/// The values of `--color`.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, always, never

    /// Returns whether to use colours. With `auto`, `NO_COLOR` and dumb terminals turn colours off.
    func isOn(terminal: Bool) -> Bool {
        let environment = ProcessInfo.processInfo.environment
        switch self {
        case .always: return true
        case .never: return false
        case .auto:
            return terminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        }
    }
}

/// A log handler that writes one line per message to standard error: `warning: message, key: value`.
struct ConsoleLog: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let details = all.sorted { $0.key < $1.key }.map { ", \($0.key): \($0.value)" }.joined()
        Console.printNote("\(event.level): \(event.message)\(details)")
    }
}
