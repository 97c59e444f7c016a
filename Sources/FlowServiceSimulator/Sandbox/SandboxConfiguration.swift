import FlowRuns
import Text

/// The body of the answer to `POST /runs`; the documents show three.
package enum RunAnswerShape: String, Hashable, Sendable, CaseIterable {
    /// The beta tutorial.
    case wholeRun
    /// `{"items":[{"id","etag"}]}`: the newest tutorial.
    case items
    /// `{"id","etag"}`: the OpenAPI document.
    case idOnly
}

/// Where a listed run tells its window.
package enum ListedWindows: String, Hashable, Sendable, CaseIterable {
    /// In `params`, and in the copy activity once it has begun.
    case parameters
    /// Only in the copy activity, in milliseconds, once it has begun; as in the monitoring tutorial.
    case copyActivity
    /// Nowhere.
    case unknown
}

/// How long a run stays in its states.
package struct RunPace: Hashable, Sendable {
    /// From its making to its begin.
    package var scheduled: Duration
    /// From its begin to its end.
    package var inProgress: Duration

    /// Two seconds scheduled and five in progress, unless told otherwise.
    package init(scheduled: Duration = .seconds(2), inProgress: Duration = .seconds(5)) {
        self.scheduled = scheduled
        self.inProgress = inProgress
    }

    /// A pace so many times as fast; 0 or less leaves it as it is.
    package func times(_ speed: Double) -> RunPace {
        guard speed > 0, speed.isFinite else { return self }
        return RunPace(scheduled: scheduled / speed, inProgress: inProgress / speed)
    }
}

/// What part of the runs ends otherwise than well, each 0...1. The seed decides which.
package struct OutcomeRates: Hashable, Sendable {
    /// Failed outright.
    package var failed: Double
    /// Success with failed records beside it.
    package var partial: Double
    /// Success with zero records.
    package var empty: Double
    /// Of the runs that were triggered again; the other rates do not touch those.
    package var retriggeredFailed: Double

    /// Every run ends well, unless told otherwise.
    package init(failed: Double = 0, partial: Double = 0, empty: Double = 0, retriggeredFailed: Double = 0) {
        self.failed = failed
        self.partial = partial
        self.empty = empty
        self.retriggeredFailed = retriggeredFailed
    }

    /// - Parameter draw: in `0..<1`.
    func outcome(_ draw: Double, origin: SimulatedOrigin) -> SimulatedOutcome {
        if origin == .retrigger { return draw < retriggeredFailed ? .failed : .success }
        if draw < failed { return .failed }
        if draw < failed + partial { return .partial }
        return draw < failed + partial + empty ? .empty : .success
    }
}

/// How the simulated sandbox behaves.
package struct SandboxConfiguration: Hashable, Sendable {
    /// Decides on ids, outcomes, record counts and faults.
    package var seed: UInt64
    /// What `POST /runs` answers.
    package var answerShape: RunAnswerShape
    /// Where a list tells a run's window.
    package var listedWindows: ListedWindows
    /// Items on a page where the request names no `limit`, and the most that a `limit` gets.
    package var pageSize: Int
    /// How fast runs move.
    package var pace: RunPace
    /// How runs end.
    package var outcomes: OutcomeRates
    /// The sandbox that runs and flows are said to be in.
    package var sandboxName: String
    /// The organisation that runs are said to belong to.
    package var organization: String

    /// The tutorials' own behaviour, unless told otherwise.
    package init(
        seed: UInt64 = 1, answerShape: RunAnswerShape = .wholeRun, listedWindows: ListedWindows = .parameters,
        pageSize: Int = 100, pace: RunPace = RunPace(), outcomes: OutcomeRates = OutcomeRates(),
        sandboxName: String = "prod", organization: String = "1234@AdobeOrg"
    ) {
        self.seed = seed
        self.answerShape = answerShape
        self.listedWindows = listedWindows
        self.pageSize = max(1, pageSize)
        self.pace = pace
        self.outcomes = outcomes
        self.sandboxName = sandboxName
        self.organization = organization
    }

    /// The members that every run and flow has between its times and its own.
    func writeOwners(to json: inout JSONText) {
        json.member("createdBy", "simulator@techacct.adobe.com")
        json.member("updatedBy", "simulator@techacct.adobe.com")
        json.member("createdClient", "simulator")
        json.member("updatedClient", "simulator")
        json.member("sandboxId", Seed(value: stableHash(sandboxName)).uuid(.runID, 0))
        json.member("sandboxName", sandboxName)
        json.member("imsOrgId", organization)
    }
}
