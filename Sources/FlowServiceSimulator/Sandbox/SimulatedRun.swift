import FlowRuns
import Text

/// The result of a run.
package enum SimulatedOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    case success
    /// Status `success` with some failed records and errors, as in the sample of the monitoring tutorial.
    case partial
    case failed
    /// Status `success` with zero records; the run can be triggered again, like a failed one.
    case empty

    package var canBeRetriggered: Bool { self == .failed || self == .empty }
}

/// A provisional outcome that a run reports until the service has counted its records.
package struct LateEnd: Hashable, Sendable {
    /// `success` has no counts yet, `empty` has zero counts, and `failed` becomes `success`.
    package let first: SimulatedOutcome
    /// How long the provisional outcome lasts, from the end of the run.
    package let delay: Duration

    package init(first: SimulatedOutcome, delay: Duration) {
        self.first = first
        self.delay = delay
    }

    func isPossible(before outcome: SimulatedOutcome) -> Bool {
        switch first {
        case .failed: outcome == .success
        case .success: outcome != .failed
        case .empty: outcome == .success || outcome == .partial
        case .partial: false
        }
    }
}

/// How a run came to be.
package enum SimulatedOrigin: String, Hashable, Sendable, Codable {
    /// A `POST /runs` request.
    case request
    /// A `POST /runs/{id}/action?op=re-trigger` request.
    case retrigger
    /// A run of another client, which was added without a request.
    case elsewhere
}

/// A run of the simulated sandbox. A run is immutable: its state follows from the current time.
package struct SimulatedRun: Hashable, Sendable, Identifiable {
    package let id: String
    package let flow: FlowID
    /// The parameters; `nil` if the window cannot be determined from the run.
    package let parameters: RunParameters?
    package let createdAt: Timestamp
    /// The client application that created the run; the same for all requests with one API key.
    package let client: String
    package let origin: SimulatedOrigin
    package let outcome: SimulatedOutcome
    package let startsAt: Timestamp
    package let endsAt: Timestamp
    /// The time from which lists contain the run.
    package let listedAt: Timestamp
    /// The time from which the run contains its window.
    package let windowListedAt: Timestamp
    /// The provisional outcome, if any. Only the deterministic simulation draws one.
    package var lateEnd: LateEnd?

    package var window: Window? { parameters?.window }

    package enum Stage: Hashable, Sendable {
        case scheduled
        case inProgress
        case ended
    }

    package func stage(at now: Timestamp) -> Stage {
        now < startsAt ? .scheduled : now < endsAt ? .inProgress : .ended
    }

    /// Returns the status in the service's terms.
    package func status(at now: Timestamp) -> String {
        switch stage(at: now) {
        case .scheduled: "scheduled"
        case .inProgress: "inProgress"
        case .ended: outcome(at: now) == .failed ? "failed" : "success"
        }
    }

    /// The outcome that an ended run reports.
    package func outcome(at now: Timestamp) -> SimulatedOutcome {
        if let lateEnd, now < endsAt + lateEnd.delay { lateEnd.first } else { outcome }
    }

    /// Whether the service accepts a re-trigger of the run.
    package func canBeRetriggered(at now: Timestamp) -> Bool {
        guard stage(at: now) == .ended else { return false }
        return outcome.canBeRetriggered || outcome(at: now) == .failed
    }

    func updatedAt(_ now: Timestamp) -> Timestamp {
        switch stage(at: now) {
        case .scheduled: createdAt
        case .inProgress: startsAt
        case .ended: endsAt
        }
    }

    /// Returns the entity tag, which changes with the run's state and includes its quotes, as in the service.
    func etag(at now: Timestamp) -> String {
        let prefix = hexadecimal(stableHash(id) >> 32, width: 8)
        let moment = hexadecimal(UInt64(max(0, updatedAt(now).seconds)), width: 8)
        return "\"\(prefix)-0000-0200-0000-\(moment)0000\""
    }

    /// The numbers of records that were read and that failed.
    package var records: (read: Int, failed: Int) {
        var random = SeededGenerator(seed: stableHash(id), choice: "records")
        let read = Int.random(in: 100..<1000, using: &random)
        return switch outcome {
        case .success: (read, 0)
        case .partial: (read, Int.random(in: 1...9, using: &random))
        case .failed: (read, read)
        case .empty: (0, 0)
        }
    }

    /// Derives the UUID of an object that belongs to the run, such as its batch.
    func relatedID(_ thing: String) -> String {
        var random = SeededGenerator(seed: stableHash(id), choice: thing)
        return random.uuid()
    }
}
