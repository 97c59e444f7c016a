import FlowRuns

/// How the simulated sandbox behaves. What concerns a run (pace, outcome, lags) is decided when the run is made, so a
/// change holds for the runs made after it.
package struct SandboxConfiguration: Hashable, Sendable {
    /// Decides on ids, outcomes and record counts.
    package var seed: UInt64
    /// The sandbox that runs and flows are said to be in.
    package var sandboxName: String
    /// The organisation that runs are said to belong to.
    package var organization: String
    /// What `POST /runs` answers.
    package var answerShape: RunAnswerShape
    /// How fast runs move.
    package var pace: RunPace
    /// How runs end.
    package var outcomes: OutcomeRates

    /// Items on a page where the request names no `limit`, and the most that a `limit` gets.
    package var pageSize: Int
    /// What happens to the pages of a list while runs are added.
    package var paging: Paging
    /// What a filter of a list means that has several values.
    package var severalValues: SeveralValuesMeaning
    /// A run shows in lists only so long after it was made; asked for by its id it shows at once.
    package var listingLag: Duration
    /// Where a list tells a run's window.
    package var listedWindows: ListedWindows
    /// A run tells its window only so long after it was made.
    package var windowDelay: Duration
    /// Which run a flow names as its last one.
    package var lastRunDetails: LastRunDetails
    /// Whether runs tell `createdClient`.
    package var tellsClient: Bool
    /// First report of new runs whose outcome allows it; `nil`: an ended run never changes.
    package var lateEnd: LateEnd?

    /// The tutorials' own behaviour, unless told otherwise.
    package init(
        seed: UInt64 = 1, sandboxName: String = "prod", organization: String = "1234@AdobeOrg",
        answerShape: RunAnswerShape = .wholeRun, pace: RunPace = RunPace(), outcomes: OutcomeRates = OutcomeRates(),
        pageSize: Int = 100, paging: Paging = .stable, severalValues: SeveralValuesMeaning = .any,
        listingLag: Duration = .zero,
        listedWindows: ListedWindows = .parameters, windowDelay: Duration = .zero,
        lastRunDetails: LastRunDetails = .all, tellsClient: Bool = true
    ) {
        self.seed = seed
        self.sandboxName = sandboxName
        self.organization = organization
        self.answerShape = answerShape
        self.pace = pace
        self.outcomes = outcomes
        self.pageSize = max(1, pageSize)
        self.paging = paging
        self.severalValues = severalValues
        self.listingLag = listingLag
        self.listedWindows = listedWindows
        self.windowDelay = windowDelay
        self.lastRunDetails = lastRunDetails
        self.tellsClient = tellsClient
    }
}

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

/// What a continuation token stands for.
package enum Paging: String, Hashable, Sendable, CaseIterable {
    /// The last item of the page before: what is added in between moves no page.
    case stable
    /// How many items came before: what is added in between pushes items onto the next page, where they come again.
    case shifting
}

/// What a filter with several values means, such as `id==A,B`. The guide on filtering shows it, for ids only.
package enum SeveralValuesMeaning: String, Hashable, Sendable, CaseIterable {
    /// Whatever has one of the values fits.
    case any
    /// All values but the first are passed over.
    case first
    /// One value that has a comma in it: nothing fits.
    case literal
    /// The filter is passed over: everything fits.
    case ignored
    /// 400.
    case refused
}

/// Which run the `lastRunDetails` of a flow name. The documents promise little of it, so a client must live with all.
package enum LastRunDetails: String, Hashable, Sendable, CaseIterable {
    /// The newest run, also one that no list shows yet.
    case all
    /// The newest run that has ended.
    case ended
    /// The newest run that was made more than a minute ago.
    case late
    /// None.
    case missing
}

/// How long a run stays in its states.
package struct RunPace: Hashable, Sendable {
    /// From its making (or its `startTime`, where that is later) to its begin.
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

    /// - Parameter drawn: in `0..<1`.
    func outcome(_ drawn: Double, origin: SimulatedOrigin) -> SimulatedOutcome {
        if origin == .retrigger { return drawn < retriggeredFailed ? .failed : .success }
        if drawn < failed { return .failed }
        if drawn < failed + partial { return .partial }
        return drawn < failed + partial + empty ? .empty : .success
    }
}
