import ArgumentParser
import Foundation
import Synchronization

/// Output for machines goes to standard output, everything else to standard error.
enum Console {
    static func output(_ text: String) { output(Array(text.utf8)) }

    /// What cannot be written does not stop the command: an apply must record what it sends. The end tells it.
    static func output(_ bytes: [UInt8]) {
        let fault = write(bytes, to: STDOUT_FILENO)
        if fault != 0 { outputFault.withLock { $0 = fault } }
    }

    private static let outputFault = Mutex<Int32>(0)

    /// Why standard output is not whole; `nil` when it is.
    static var outputFailure: String? {
        let fault = outputFault.withLock { $0 }
        return fault == 0 ? nil : "cannot write to standard output: \(String(cString: strerror(fault)))"
    }

    /// A line for people.
    static func say(_ text: String) { write(Array((text + "\n").utf8), to: STDERR_FILENO) }

    static func error(_ message: String) {
        guard !message.isEmpty else { return }
        say(message.hasPrefix("error") ? message : "error: \(message)")
    }

    /// Writes to the terminal without ending the line.
    static func redraw(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    static var isInputTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// The terminal's width in columns, `COLUMNS`, or 100 where neither tells.
    static var width: Int {
        var size = winsize()
        for descriptor in [STDOUT_FILENO, STDERR_FILENO]
        where ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 {
            return Int(size.ws_col)
        }
        return ProcessInfo.processInfo.environment["COLUMNS"].flatMap(Int.init) ?? 100
    }

    /// A reader that went away (`sluice plan | head`) is no fault of ours: the rest is dropped.
    ///
    /// - Returns: the number of the error, or 0.
    @discardableResult
    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR && errno != EAGAIN {
                return errno == EPIPE ? 0 : errno
            }
        }
        return 0
    }
}

/// When to colour.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, always, never

    /// `NO_COLOR` and dumb terminals turn colour off, unless it was asked for by name.
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
