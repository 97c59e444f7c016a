import FlowRuns
import Foundation
import Ledger

/// A connection to the server. Its calls block the thread, for a limited time.
///
/// `@unchecked Sendable` because libpq's connection is not thread-safe: ``ConnectionPool`` lends it to one operation at
/// a time, which runs on one thread until its end, and actor isolation orders consecutive operations.
final class PostgresConnection: @unchecked Sendable {
    private let libpq: LibPQ
    private let handle: OpaquePointer
    private let limit: Duration
    private let notices = Notices()
    /// Whether the connection can be used for another operation.
    private(set) var isUsable = true

    /// Maximum duration of a failed attempt that is repeated for its SQLSTATE. A longer attempt was a timeout, which
    /// has no SQLSTATE.
    private static let longestRepeatedAttempt = Duration.seconds(2)

    /// Connects with the parameters of the address and libpq's environment. A failed attempt is repeated once.
    ///
    /// libpq reports the SQLSTATE of a refused connection only in verbose errors, which can be enabled only on an
    /// existing connection object. Therefore a failed attempt is repeated with verbose errors.
    ///
    /// - Parameter limit: maximum time without an answer from the server during a statement.
    init(_ address: ServerAddress, limit: Duration) throws(PostgresError) {
        let libpq: LibPQ
        do throws(LedgerError) { libpq = try LibPQ.loaded() } catch { throw .ledger(error) }
        let start = ContinuousClock.now
        guard let handle = address.withParameters({ libpq.connectdbParams($0, $1, 1) }) else {
            throw .unreachable(ConnectionFailure("out of memory"))
        }
        var isConnected: Bool { libpq.status(handle) == LibPQConstant.connectionOK }
        if !isConnected, .now - start < Self.longestRepeatedAttempt {
            _ = libpq.setErrorVerbosity(handle, LibPQConstant.verboseErrors)
            libpq.reset(handle)
            _ = libpq.setErrorVerbosity(handle, LibPQConstant.defaultErrors)
        }
        guard isConnected else {
            let reason = libpq.errorMessage(handle).map { String(cString: $0) } ?? ""
            let needsPassword = libpq.connectionNeedsPassword(handle) == 1
            libpq.finish(handle)
            throw .unreachable(ConnectionFailure(reason, needsPassword: needsPassword))
        }
        self.libpq = libpq
        self.handle = handle
        self.limit = limit
        notices.libpq = libpq
        _ = libpq.setNoticeReceiver(handle, receiveNotice, Unmanaged.passUnretained(notices).toOpaque())
        // Non-blocking mode, so that sending cannot block forever either.
        _ = libpq.setnonblocking(handle, 1)
    }

    deinit {
        libpq.finish(handle)
    }

    /// Returns a setting that the server reports when the connection is established.
    func parameter(_ name: String) -> String? { libpq.parameterStatus(handle, name).map { String(cString: $0) } }

    // MARK: Statements

    /// Runs one statement.
    ///
    /// - Parameters:
    ///   - parameters: values for `$1`, `$2`, …
    ///   - row: receives each row as it arrives, so that the result is never in memory as a whole.
    /// - Returns: the number of changed rows.
    @discardableResult
    func run(
        _ sql: String, _ parameters: Parameters = Parameters(),
        row: ((inout RowReader) throws(PostgresError) -> Void)? = nil
    ) throws(PostgresError) -> Int {
        let sent = parameters.withPointers {
            libpq.sendQueryParams(handle, sql, Int32(parameters.count), nil, $0, nil, nil, 0)
        }
        guard sent == 1 else { throw lost() }
        if row != nil { _ = libpq.setSingleRowMode(handle) }
        return try results(row).changed
    }

    /// Runs several statements without parameters, one after another.
    func run(script: String) throws(PostgresError) {
        guard libpq.sendQuery(handle, script) == 1 else { throw lost() }
        _ = try results(nil)
    }

    private func results(
        _ row: ((inout RowReader) throws(PostgresError) -> Void)?
    ) throws(PostgresError) -> (changed: Int, status: String) {
        try flush()
        var changed = 0
        var status = ""
        var refusal: PostgresError?
        while let result = try nextResult() {
            defer { libpq.clear(result) }
            switch libpq.resultStatus(result) {
            case LibPQConstant.commandOK:
                changed = libpq.cmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
                status = libpq.cmdStatus(result).map { String(cString: $0) } ?? ""
            case LibPQConstant.tuplesOK, LibPQConstant.singleTuple:
                // After an error, the remaining rows must be drained before the connection can be used again.
                guard let row, refusal == nil else { continue }
                do throws(PostgresError) { try each(result, row) } catch { refusal = error }
            case LibPQConstant.emptyQuery: continue
            default: refusal = refusal ?? self.refusal(result)
            }
        }
        if let refusal {
            if libpq.status(handle) != LibPQConstant.connectionOK { isUsable = false }
            throw refusal
        }
        return (changed, status)
    }

    private func each(
        _ result: OpaquePointer, _ row: (inout RowReader) throws(PostgresError) -> Void
    ) throws(PostgresError) {
        for index in 0..<libpq.ntuples(result) {
            var reader = RowReader(libpq: libpq, result: result, row: index)
            try row(&reader)
        }
    }

    private func refusal(_ result: OpaquePointer) -> PostgresError {
        guard let message = libpq.message(result) else { return lost() }
        return libpq.status(handle) == LibPQConstant.connectionOK ? .refused(message) : .lost(message.text)
    }

    // MARK: Transactions

    enum TransactionKind: String {
        /// A consistent snapshot for all reads. Also works on a standby.
        case read = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        case write = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE"

        /// SQL that begins the transaction with the settings the ledger relies on, because databases and roles can
        /// override the defaults. The settings end with the transaction: see ``PostgresLedger``.
        fileprivate var script: String { "\(rawValue); \(Self.settings)" }

        private static let settings = """
            SET LOCAL search_path = pg_catalog;
            -- An error instead of fewer rows than there are.
            SET LOCAL row_security = off;
            SET LOCAL array_nulls = on;
            -- The warning that a commit may not have been replicated.
            SET LOCAL client_min_messages = warning;
            SELECT set_config('lc_messages', 'C', true) WHERE current_setting('is_superuser') = 'on'
            """
    }

    /// Runs a transaction. Commits when `body` returns, and rolls back when it throws.
    ///
    /// - Throws: ``PostgresError/unknown(_:)`` when the transaction may have been committed, and the errors of `body`.
    func transaction<Value>(
        _ kind: TransactionKind, _ body: (PostgresConnection) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        let value: Value
        do throws(PostgresError) {
            try run(script: kind.script)
            value = try body(self)
        } catch {
            // The server rolls back the transaction of a lost connection.
            if isUsable { do throws(PostgresError) { try run("ROLLBACK") } catch { isUsable = false } }
            throw error
        }
        try commit(kind)
        return value
    }

    private func commit(_ kind: TransactionKind) throws(PostgresError) {
        notices.warnings = []
        let status: String
        do throws(PostgresError) {
            guard libpq.sendQuery(handle, "COMMIT") == 1 else { throw lost() }
            status = try results(nil).status
        } catch {
            throw kind == .write ? error.atCommit : error
        }
        guard kind == .write else { return }
        guard status == "COMMIT" else { throw .lost("the server rolled the transaction back") }
        // For example 'canceling wait for synchronous replication': a standby that is promoted may lack the
        // transaction.
        if let warning = notices.warnings.first { throw .unknown("the server warns: \(warning.text)") }
    }

    // MARK: Waiting

    private func flush() throws(PostgresError) {
        while true {
            let left = libpq.flush(handle)
            if left == 0 { return }
            guard left == 1 else { throw lost() }
            let ready = try wait(for: Int16(POLLIN | POLLOUT))
            if ready & Int16(POLLIN) != 0, libpq.consumeInput(handle) != 1 { throw lost() }
        }
    }

    private func nextResult() throws(PostgresError) -> OpaquePointer? {
        while libpq.isBusy(handle) == 1 {
            _ = try wait(for: Int16(POLLIN))
            guard libpq.consumeInput(handle) == 1 else { throw lost() }
        }
        return libpq.getResult(handle)
    }

    private func wait(for events: Int16) throws(PostgresError) -> Int16 {
        let end = ContinuousClock.now + limit
        while true {
            var descriptor = pollfd(fd: libpq.socket(handle), events: events, revents: 0)
            guard descriptor.fd >= 0 else { throw lost() }
            let left = max(.zero, end - ContinuousClock.now)
            let ready = poll(&descriptor, 1, Int32(clamping: left.milliseconds + 1))
            if ready > 0 { return descriptor.revents }
            if ready < 0, errno != EINTR { throw lost() }
            if ready == 0, left == .zero {
                isUsable = false
                throw .lost("the server has not answered for \(limit.secondsRoundedUp) seconds")
            }
        }
    }

    private func lost() -> PostgresError {
        isUsable = false
        let reason = oneLine(libpq.errorMessage(handle))
        return .lost(reason.isEmpty ? "the connection was lost" : reason)
    }
}

/// Warnings received from the server.
private final class Notices {
    var libpq: LibPQ?
    var warnings: [ServerMessage] = []
}

/// Notice receiver. libpq calls it within the functions that read from the server, on the calling thread.
private func receiveNotice(_ notices: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
    guard let notices, let result else { return }
    let kept = Unmanaged<Notices>.fromOpaque(notices).takeUnretainedValue()
    // SQLSTATE class 00 is for notices, 01 for warnings.
    if let message = kept.libpq?.message(result), !message.sqlState.hasPrefix("00") { kept.warnings.append(message) }
}

extension LibPQ {
    /// Returns the server's message; `nil` for an error of libpq itself, which has no SQLSTATE.
    fileprivate func message(_ result: OpaquePointer) -> ServerMessage? {
        func field(_ name: Int32) -> String? { resultErrorField(result, name).map { oneLine($0) } }
        guard let sqlState = field(LibPQConstant.sqlState) else { return nil }
        return ServerMessage(sqlState: sqlState, text: field(LibPQConstant.message) ?? "")
    }
}

private func oneLine(_ text: UnsafePointer<CChar>?) -> String { text.map { oneLine(String(cString: $0)) } ?? "" }
