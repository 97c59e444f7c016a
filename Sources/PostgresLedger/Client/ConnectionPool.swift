import Ledger
import NIOPosix

/// A small pool of connections, opened on demand.
actor ConnectionPool {
    /// Threads for blocking calls to libpq, separate from the threads of Swift tasks. A transaction occupies its thread
    /// until its end, so one that waits for a lock never blocks the transaction that holds the lock.
    private static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 8)
        threads.start()
        return threads
    }()

    private let address: ServerAddress
    private let limit: Duration
    private let maxConnections: Int
    private var idle: [PostgresConnection] = []
    /// Number of connections that are open or being opened.
    private var count = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var isClosed = false

    init(_ address: ServerAddress, maxConnections: Int, limit: Duration) {
        self.address = address
        self.maxConnections = maxConnections
        self.limit = limit
    }

    /// Runs `body` with a connection, on a separate thread. Cancelling the task does not stop it: an interrupted apply
    /// must still record what it has sent.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(LedgerError) -> Value {
        do throws(PostgresError) {
            let connection = try await checkOut()
            let result = await onThread { () throws(PostgresError) in try body(connection) }
            checkIn(connection)
            return try result.get()
        } catch { throw error.ledgerError(address.text) }
    }

    func close() {
        isClosed = true
        idle = []
        wake()
    }

    private func checkOut() async throws(PostgresError) -> PostgresConnection {
        while true {
            guard !isClosed else { throw .closed }
            if let connection = idle.popLast() { return connection }
            if count < maxConnections {
                count += 1
                let made = await onThread { [address, limit] () throws(PostgresError) in
                    try PostgresConnection(address, limit: limit)
                }
                switch made {
                case .success(let connection): return connection
                case .failure(let error):
                    count -= 1
                    wake()
                    // The server allows no more connections, so use the existing ones.
                    guard count > 0, error.isConnectionLimit else { throw error }
                    // Do not wait: a connection returned in the meantime has already woken the waiters.
                    guard idle.isEmpty else { continue }
                }
            }
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func checkIn(_ connection: PostgresConnection) {
        if connection.isUsable, !isClosed {
            idle.append(connection)
        } else {
            // The idle connections have probably lost the server too, and each would cost a failed attempt.
            count -= 1 + idle.count
            idle = []
        }
        wake()
    }

    /// Resumes all waiters, in FIFO order.
    private func wake() {
        let woken = waiting
        waiting = []
        for continuation in woken { continuation.resume() }
    }

    private nonisolated func onThread<Value: Sendable>(
        _ body: @escaping @Sendable () throws(PostgresError) -> Value
    ) async -> Result<Value, PostgresError> {
        await withCheckedContinuation { continuation in
            Self.threads.submit { state in
                guard state == .active else {
                    return continuation.resume(returning: .failure(.closed))
                }
                continuation.resume(returning: Result { () throws(PostgresError) in try body() })
            }
        }
    }
}
