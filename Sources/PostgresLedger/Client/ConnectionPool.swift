import NIOPosix

/// A few connections, made when they are needed.
actor ConnectionPool {
    /// Where connections may block: not on the threads that all tasks share. A transaction has its thread to its end, so
    /// one that waits for another's lock never keeps that other from running.
    private static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 8)
        threads.start()
        return threads
    }()

    private let address: ServerAddress
    private let limit: Duration
    private let most: Int
    private var idle: [PostgresConnection] = []
    /// Connections that exist or are being made.
    private var count = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var isClosed = false

    init(_ address: ServerAddress, most: Int, limit: Duration) {
        self.address = address
        self.most = most
        self.limit = limit
    }

    /// Runs `body` with a connection, on a thread of its own. It is not stopped when the task is cancelled: an
    /// interrupted apply must still record what it has sent.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let connection = try await take()
        let result = await onThread { () throws(PostgresError) in try body(connection) }
        give(connection)
        return try result.get()
    }

    func close() {
        isClosed = true
        idle = []
        wake()
    }

    private func take() async throws(PostgresError) -> PostgresConnection {
        while true {
            guard !isClosed else { throw .closed }
            if let connection = idle.popLast() { return connection }
            if count < most {
                count += 1
                let made = await onThread { [address, limit] () throws(PostgresError) in
                    try PostgresConnection(address, limit: limit)
                }
                switch made {
                case .success(let connection): return connection
                case .failure(let error):
                    count -= 1
                    wake()
                    // Where the server allows no more, those that there are have to do.
                    guard count > 0, error.isConnectionLimit else { throw error }
                    // One that came back meanwhile has woken nobody.
                    guard idle.isEmpty else { continue }
                }
            }
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func give(_ connection: PostgresConnection) {
        if connection.isUsable, !isClosed {
            idle.append(connection)
        } else {
            // The others have most likely lost the server too; each would cost another attempt.
            count -= 1 + idle.count
            idle = []
        }
        wake()
    }

    /// Whoever waits looks again, in the order in which they came.
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
