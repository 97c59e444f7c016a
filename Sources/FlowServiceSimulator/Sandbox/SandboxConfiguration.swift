import FlowRuns

/// The behaviour of the simulated sandbox.
///
/// The pace, outcome and delays of a run are fixed when the run is created, so a change affects only later runs.
package struct SandboxConfiguration: Hashable, Sendable {
    /// The seed of IDs, outcomes and record counts.
    package var seed: UInt64
    /// The sandbox name that runs and flows contain.
    package var sandboxName: String
    /// The organisation ID that runs and flows contain.
    package var organization: String
    /// The shape of the answer to `POST /runs`.
    package var answerShape: RunAnswerShape
    /// The time that runs spend in their states.
    package var pace: RunPace
    /// The rates of runs that do not succeed.
    package var outcomes: OutcomeRates

    /// The default and maximum number of items on a page.
    package var pageSize: Int
    /// The stability of pages while runs are being added.
    package var paging: Paging
    /// The interpretation of a filter with several values.
    package var severalValues: SeveralValuesMeaning
    /// The delay until a new run appears in lists. A request for the run itself is answered immediately.
    package var listingLag: Duration
    /// The location of the window in a listed run.
    package var listedWindows: ListedWindows
    /// The delay until a new run contains its window.
    package var windowDelay: Duration
    /// The run to which a flow's `lastRunDetails` refer.
    package var lastRunDetails: LastRunDetails
    /// Whether runs and flows contain `createdClient`.
    package var listsClient: Bool
    /// First report of new runs whose outcome allows it; `nil`: an ended run never changes.
    package var lateEnd: LateEnd?

    /// Creates a configuration; by default the behaviour in the tutorials.
    package init(
        seed: UInt64 = 1, sandboxName: String = "prod", organization: String = "1234@AdobeOrg",
        answerShape: RunAnswerShape = .wholeRun, pace: RunPace = RunPace(), outcomes: OutcomeRates = OutcomeRates(),
        pageSize: Int = 100, paging: Paging = .stable, severalValues: SeveralValuesMeaning = .any,
        listingLag: Duration = .zero,
        listedWindows: ListedWindows = .parameters, windowDelay: Duration = .zero,
        lastRunDetails: LastRunDetails = .all, listsClient: Bool = true
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
        self.listsClient = listsClient
    }
}

/// The body of the answer to `POST /runs`; the documents show three.
package enum RunAnswerShape: String, Hashable, Sendable, CaseIterable {
    /// The whole run, as in the beta tutorial.
    case wholeRun
    /// The shape `{"items":[{"id","etag"}]}`, as in the newest tutorial.
    case items
    /// The shape `{"id","etag"}`, as in the OpenAPI document.
    case idOnly
}

/// The location of the window in a listed run.
package enum ListedWindows: String, Hashable, Sendable, CaseIterable {
    /// The `params`, and the copy activity once the run has started.
    case parameters
    /// Only the copy activity, in milliseconds, once the run has started; as in the monitoring tutorial.
    case copyActivity
    /// No location; a listed run has no window.
    case unknown
}

/// The position that a continuation token refers to.
package enum Paging: String, Hashable, Sendable, CaseIterable {
    /// The last item of the previous page; additions do not shift the pages.
    case stable
    /// The number of earlier items; additions shift items to the next page, where the items appear again.
    case shifting
}

/// The meaning of a filter with several values, such as `id==A,B`. The guide on filtering shows this form for IDs only.
package enum SeveralValuesMeaning: String, Hashable, Sendable, CaseIterable {
    /// Items with any of the values match.
    case any
    /// All values except the first are ignored.
    case first
    /// The values are a single value that contains a comma; no item matches.
    case literal
    /// The filter is ignored; all items match.
    case ignored
    /// The request is rejected with status 400.
    case refused
}

/// The run to which a flow's `lastRunDetails` refer. The documents guarantee little, so clients must support all cases.
package enum LastRunDetails: String, Hashable, Sendable, CaseIterable {
    /// The newest run, even if no list contains the run yet.
    case all
    /// The newest run that has ended.
    case ended
    /// The newest run that is more than a minute old.
    case late
    /// No run; the flow has no `lastRunDetails`.
    case missing
}

/// The time that a run spends in its states.
package struct RunPace: Hashable, Sendable {
    /// The time from the creation (or from `startTime`, if that is later) to the start.
    package var scheduled: Duration
    /// The time from the start to the end.
    package var inProgress: Duration

    /// Creates a pace; by default two seconds scheduled and five seconds in progress.
    package init(scheduled: Duration = .seconds(2), inProgress: Duration = .seconds(5)) {
        self.scheduled = scheduled
        self.inProgress = inProgress
    }

    /// Returns a pace that is `speed` times as fast. A speed of 0 or less has no effect.
    package func times(_ speed: Double) -> RunPace {
        guard speed > 0, speed.isFinite else { return self }
        return RunPace(scheduled: scheduled / speed, inProgress: inProgress / speed)
    }
}

/// The fractions of runs that do not succeed fully, each 0...1. The seed selects the runs.
package struct OutcomeRates: Hashable, Sendable {
    /// Runs that fail.
    package var failed: Double
    /// Runs that succeed with some failed records.
    package var partial: Double
    /// Runs that succeed with zero records.
    package var empty: Double
    /// Re-triggered runs that fail; the other rates do not apply to re-triggered runs.
    package var retriggeredFailed: Double

    /// Creates rates; by default every run succeeds.
    package init(failed: Double = 0, partial: Double = 0, empty: Double = 0, retriggeredFailed: Double = 0) {
        self.failed = failed
        self.partial = partial
        self.empty = empty
        self.retriggeredFailed = retriggeredFailed
    }

    /// Returns the outcome for a random number.
    ///
    /// - Parameter drawn: A random number in `0..<1`.
    func outcome(_ drawn: Double, origin: SimulatedOrigin) -> SimulatedOutcome {
        if origin == .retrigger { return drawn < retriggeredFailed ? .failed : .success }
        if drawn < failed { return .failed }
        if drawn < failed + partial { return .partial }
        return drawn < failed + partial + empty ? .empty : .success
    }
}
