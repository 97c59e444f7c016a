import FlowRuns

/// How a run ends.
package enum SimulatedOutcome: String, Hashable, Sendable, Codable, CaseIterable {
    case success
    /// Says `success`, and has failed records and errors beside it, as the monitoring tutorial's sample does.
    case partial
    case failed
    /// `success` with zero records; like a failed one it may be triggered again.
    case empty

    var mayBeTriggeredAgain: Bool { self == .failed || self == .empty }
}

/// How a run came to be.
package enum SimulatedOrigin: String, Hashable, Sendable, Codable {
    /// `POST /runs`.
    case request
    /// `POST /runs/{id}/action?op=re-trigger`.
    case retrigger
    /// Was there before the simulation began.
    case elsewhere
}

/// One run of the simulated sandbox. It never changes: where it stands follows from the time that has passed.
struct SimulatedRun: Hashable, Sendable {
    let id: String
    let flow: FlowID
    /// `nil` for a run whose window nobody can know.
    let parameters: RunParameters?
    let createdAt: Timestamp
    let outcome: SimulatedOutcome
    let origin: SimulatedOrigin

    var window: Window? { parameters?.window }

    func stage(at now: Timestamp, pace: RunPace) -> Stage {
        let begins = createdAt + pace.scheduled
        let ends = begins + pace.inProgress
        return now < begins ? .scheduled : now < ends ? .inProgress(began: begins) : .ended(began: begins, ended: ends)
    }

    /// Where a run stands, with the moments that the answers show.
    enum Stage: Hashable {
        case scheduled
        case inProgress(began: Timestamp)
        case ended(began: Timestamp, ended: Timestamp)
    }

    func status(at stage: Stage) -> String {
        switch stage {
        case .scheduled: "scheduled"
        case .inProgress: "inProgress"
        case .ended: outcome == .failed ? "failed" : "success"
        }
    }

    func updatedAt(_ stage: Stage) -> Timestamp {
        switch stage {
        case .scheduled: createdAt
        case .inProgress(let began): began
        case .ended(_, let ended): ended
        }
    }

    /// Changes with the run, and holds its own quotes, as the service's do.
    func etag(at stage: Stage) -> String {
        let prefix = hexadecimal(Seed(value: stableHash(id)).number(.etag, 0) >> 32, 8)
        let moment = hexadecimal(UInt64(max(0, updatedAt(stage).seconds)), 8)
        return "\"\(prefix)-0000-0200-0000-\(moment)0000\""
    }

    /// Rows read and rows that failed.
    var records: (read: Int, failed: Int) {
        let number = Seed(value: stableHash(id)).number(.records, 0)
        let read = 100 + Int(number % 900)
        return switch outcome {
        case .success: (read, 0)
        case .partial: (read, 1 + Int(number >> 32 % 9))
        case .failed: (read, read)
        case .empty: (0, 0)
        }
    }
}
