import FlowRuns

/// The runs that count against the limits: those of one UTC day, and those in progress.
package struct RunUsage: Hashable, Sendable {
    /// The number of runs on the day, by flow. A run counts on the day of its claim by the service's clock or, if it
    /// was found on the service, of its creation. Requests that the service did not accept do not count.
    package private(set) var onDay: [FlowID: Int] = [:]
    package private(set) var underWay = 0
    /// The oldest of the runs in progress: if it never reports its end, it counts until it is acknowledged.
    private(set) var oldestUnderWay: RecordedRun?
    private let dayStart: Timestamp

    private static let day = Duration.seconds(86_400)

    /// Creates usage of zero for the UTC day that contains `time`.
    package init(at time: Timestamp) {
        let seconds = time.seconds
        dayStart = Timestamp(seconds: seconds - (seconds % 86_400 + 86_400) % 86_400)
    }

    /// Adds the runs of a flow.
    ///
    /// - Parameters:
    ///   - runs: the recorded runs of the flow.
    ///   - flow: the ID of the flow.
    ///   - countsUnderWay: `false` for a flow that is not declared, because its runs are not polled.
    ///   - acknowledged: runs that the manifests acknowledge: one that never reports its end does not count as running.
    package mutating func add(
        _ runs: some Sequence<RecordedRun>, of flow: FlowID, countsUnderWay: Bool = true,
        acknowledged: Set<RunID> = []
    ) {
        for run in runs where !run.state.isVoid {
            let time = run.claim?.time?.latest ?? run.recordedAt
            if time >= dayStart, time < dayStart + Self.day { onDay[flow, default: 0] += 1 }
            let isRunning = run.state == .accepted && !(run.id.map(acknowledged.contains) ?? false)
            guard countsUnderWay, isRunning || run.state.isDoubtful else { continue }
            underWay += 1
            if run.recordedAt < oldestUnderWay?.recordedAt ?? .max { oldestUnderWay = run }
        }
    }

    var total: Int { onDay.values.reduce(0, +) }
}
