import Foundation
import Ledger

/// A program that runs in its own session, without a terminal, under a time limit for its whole process group.
///
/// The standard streams are unlinked files, so neither side can block the other, and a helper that the program leaves
/// in the background (a credential cache, a shared ssh connection) does not delay the result. Foundation's `Process`
/// creates no process group. swift-subprocess 1.0.2 needs Swift 6.2, and terminates the calling process if a child
/// exits before reading its input.
struct ChildProcess {
    /// The outcome of a program that ran.
    struct Result {
        enum End: Equatable {
            case exited(Int32)
            case killed(signal: Int32)
            /// The time limit was exceeded, and the process group was ended.
            case timedOut
        }

        let end: End
        let output: [UInt8]
        let errors: String

        var isSuccess: Bool { end == .exited(0) }
    }

    /// The path of the executable.
    let program: String
    let arguments: [String]
    let environment: [String: String]
    var input: [UInt8] = []
    let timeLimit: Duration

    /// Runs the program and waits for its end.
    ///
    /// Cancelling the task does not interrupt the program: an interrupted apply must still record the requests it has
    /// sent.
    ///
    /// - Throws: `LedgerError.unusable` if the program cannot be started.
    func run() async throws(LedgerError) -> Result {
        let (input, output, errors) = (try UnlinkedFile(input), try UnlinkedFile(), try UnlinkedFile())
        let end = await wait(for: try spawn([input, output, errors].map(\.descriptor)))
        return Result(
            end: end, output: output.contents, errors: String(decoding: errors.contents, as: UTF8.self))
    }

    /// `POSIX_SPAWN_SETSID`, which the Glibc module does not export.
    #if canImport(Darwin)
        private static let newSession: Int32 = 0x0400
    #else
        private static let newSession: Int32 = 0x80
    #endif

    /// Starts the program with the given files as its standard streams.
    private func spawn(_ streams: [Int32]) throws(LedgerError) -> pid_t {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for (number, file) in streams.enumerated() { posix_spawn_file_actions_adddup2(&actions, file, Int32(number)) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        // A session has its own process group and no terminal, so no program can prompt for a password.
        let flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | Self.newSession
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let arguments = ([program] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        var child = pid_t()
        let status = posix_spawn(&child, program, &actions, &attributes, arguments, variables)
        guard status == 0 else {
            throw .unusable(
                "\(program.split(separator: "/").last ?? "") does not start: \(String(cString: strerror(status)))")
        }
        return child
    }

    private func wait(for child: pid_t) async -> Result.End {
        let deadline = ContinuousClock.now + timeLimit
        var pause = Duration.milliseconds(1)
        var signal: Int32?
        while true {
            var status: Int32 = 0
            let found = waitpid(child, &status, WNOHANG)
            if found == child || (found < 0 && errno != EINTR) {
                // After a timeout, kill the processes that remain in the group.
                if signal != nil { kill(-child, SIGKILL) }
                guard signal == nil else { return .timedOut }
                // `waitpid` fails if this process ignores SIGCHLD: the system then discards the exit status.
                guard found == child else { return .killed(signal: SIGCHLD) }
                let terminator = status & 0x7F
                return terminator == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: terminator)
            }
            let now = ContinuousClock.now
            if signal == nil, now >= deadline {
                signal = SIGTERM
                kill(-child, SIGTERM)
            } else if signal == SIGTERM, now >= deadline + .seconds(2) {
                signal = SIGKILL
                kill(-child, SIGKILL)
            }
            await uncancellableSleep(pause)
            pause = min(pause * 1.5, .milliseconds(5))
        }
    }
}

/// Sleeps for the full duration, even in a cancelled task.
func uncancellableSleep(_ duration: Duration) async {
    await Task.detached { try? await Task.sleep(for: duration) }.value
}

private final class UnlinkedFile {
    let descriptor: Int32

    /// Creates a file with the given contents.
    init(_ contents: [UInt8] = []) throws(LedgerError) {
        var path = Array((NSTemporaryDirectory() + "/sluice-XXXXXX").utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor > 2 else { throw Self.failure }
        unlink(&path)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var rest = contents[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Self.failure }
            rest = rest.dropFirst(count)
        }
        lseek(descriptor, 0, SEEK_SET)
    }

    deinit { close(descriptor) }

    var contents: [UInt8] {
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size > 0 else { return [] }
        return Array(unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let read = pread(descriptor, buffer.baseAddress?.advanced(by: count), size - count, off_t(count))
                guard read > 0 else { return }
                count += read
            }
        }
    }

    private static var failure: LedgerError {
        .unusable("cannot write in \(NSTemporaryDirectory()): \(String(cString: strerror(errno)))")
    }
}
