/// The things that the facts' endpoints speak of: the run, the flow, the flow's specification.
extension Facts {
    // MARK: - The run

    private static let owners: Members = [
        "createdBy": .string, "updatedBy": .string, "createdClient": .string, "updatedClient": .string,
        "sandboxId": .string, "sandboxName": .string, "imsOrgId": .string,
    ]

    private static let head = (["id": .uuid, "createdAt": .milliseconds, "updatedAt": .milliseconds] as Members)
        .and(owners).and(["flowId": .uuid])

    /// Right after creation, as the beta tutorial's sample [T] has it; in this order.
    static let wholeRun = Shape.inOrder(
        .object(
            required: head.and([
                "params": params, "etag": .etag,
                "metrics": .object(required: [
                    "statusSummary": .object(required: ["status": .oneOf(["scheduled"])])
                ]),
                "activities": .array(of: .anything, counting: 0...0),
            ])))

    /// As it is listed. `params` is in [T] but not in [M]; `eTag` and `activites` are how [O] spells them.
    static let run = Shape.object(
        required: head.and([
            "flowSpec": .object(required: ["id": .string, "version": .string]), "providerRefId": .string,
            "etag": .etag, "metrics": metrics, "activities": .array(of: activity),
        ]),
        optional: ["params": params, "eTag": .etag, "activites": .array(of: .anything)])

    /// [M].
    private static let metrics = Shape.object(
        required: [
            "statusSummary": .object(
                required: ["status": status], optional: ["errors": .array(of: error), "activityRefs": activityRefs])
        ],
        optional: [
            "durationSummary": .object(required: started, optional: completed), "sizeSummary": sizes,
            "recordSummary": records,
            "fileSummary": .object(required: files, optional: ["activityRefs": activityRefs]),
        ])

    /// `scheduled` right after creation [T], `success` [M]; the others are seen elsewhere.
    private static let status = Shape.oneOf([
        "scheduled", "inProgress", "pending", "success", "partialSuccess", "failed",
    ])
    private static let error = Shape.object(required: ["code": .string, "message": .string])
    private static let activityRefs = Shape.array(of: .string)

    private static let started: Members = ["startedAtUTC": .milliseconds]
    private static let completed: Members = ["completedAtUTC": .milliseconds]
    private static let sizes = Shape.object(required: ["inputBytes": .integer, "outputBytes": .integer])
    private static let files: Members = ["inputFileCount": .integer, "outputFileCount": .integer]

    /// Empty in [M]'s copy activity.
    private static let records = Shape.object(
        required: [:],
        optional: [
            "inputRecordCount": .integer, "outputRecordCount": .integer, "createdRecordCount": .integer,
            "failedRecordCount": .integer,
        ])

    // MARK: - Its activities

    /// [M] has two, told by their id; in [O] the id is any UUID, and a name tells.
    private static let activity = Shape.byMember(
        "id",
        [
            "copyActivity": .object(
                required: activityHead.and(["id": .oneOf(["copyActivity"]), "sourceInfo": sources]),
                optional: activityMetrics),
            "promotionActivity": .object(
                required: activityHead.and(["id": .oneOf(["promotionActivity"]), "targetInfo": targets]),
                optional: activityMetrics),
        ],
        otherwise: .object(
            required: activityHead.and(["id": .uuid, "name": .string]),
            optional: activityMetrics.and(["sourceInfo": sources, "targetInfo": targets])))

    private static let activityHead: Members = [
        "updatedAtUTC": .milliseconds, "durationSummary": activityDuration, "statusSummary": activityStatus,
    ]
    private static let activityMetrics: Members = [
        "sizeSummary": sizes, "recordSummary": records, "fileSummary": .object(required: files),
    ]

    /// The window, in milliseconds [M].
    private static let activityDuration = Shape.object(
        required: started,
        optional: completed.and([
            "extensions": .object(required: ["windowStart": .milliseconds, "windowEnd": .milliseconds])
        ]))

    /// [M] shows `type` of the copy activity, and the rest of the promotion activity.
    private static let activityStatus = Shape.object(
        required: [
            "status": status,
            "extensions": .object(
                required: [:],
                optional: [
                    "type": .oneOf(["one-time"]),
                    "manifest": .object(required: [:], optional: ["failedRecords": .url, "sampleErrors": .url]),
                    "errors": .array(
                        of: .object(required: ["code": .string, "recordCount": .integer, "message": .string])),
                ]),
        ],
        optional: ["errors": .array(of: error)])

    private static let sources = references(of: "SourceConnection", to: "AdfRunId")
    private static let targets = references(of: "TargetConnection", to: "Batch")

    private static func references(of type: String, to kind: String) -> Shape {
        let reference = Shape.object(required: ["type": .oneOf([kind]), "ids": .array(of: .string)])
        return .array(of: .object(required: ["id": .string, "type": .oneOf([type]), "reference": reference]))
    }

    // MARK: - The flow

    /// The times and owners are those of a run: the facts speak of them there only.
    static let flow = Shape.object(
        required: [
            "id": .uuid, "name": .string, "state": .string, "version": .string, "etag": .etag,
            "flowSpec": .object(required: ["id": .string, "version": .string]),
            "sourceConnectionIds": .array(of: .string), "targetConnectionIds": .array(of: .string),
            "scheduleParams": schedule, "transformations": .array(of: transformation),
        ],
        optional: owners.and(["createdAt": .milliseconds, "updatedAt": .milliseconds, "lastRunDetails": lastRun]))

    /// [S]: `startTime` is seconds, a string or an integer; `interval` and `backfill` are absent for `once`.
    private static let schedule = Shape.byMember(
        "frequency",
        ["once": .object(required: ["startTime": startTime, "frequency": .oneOf(["once"])])],
        otherwise: .object(
            required: [
                "startTime": startTime, "frequency": .oneOf(["minute", "hour", "day", "week"]), "interval": .integer,
            ],
            optional: ["backfill": .boolean]))
    private static let startTime = Shape.anyOf([.secondsText, .seconds])

    /// [S]: the delta column lives in the one named `Copy`, beside others such as `Mapping`.
    private static let transformation = Shape.byMember(
        "name",
        [
            "Copy": .object(required: [
                "name": .oneOf(["Copy"]), "params": .open(required: ["deltaColumn": deltaColumn]),
            ])
        ],
        otherwise: .object(required: ["name": .string, "params": .open(required: [:])]))

    /// Only of `startedAtUTC` do the facts speak [O].
    private static let lastRun = Shape.object(
        required: ["id": .uuid, "state": status], optional: started.and(completed))

    // MARK: - Its specification

    /// [S]: `runSpec.spec` is a JSON Schema (draft-07). Of the names around it the facts do not speak.
    static let flowSpecification = Shape.object(
        required: [
            "id": .string,
            "runSpec": .object(required: ["spec": runSchema], optional: ["name": .string, "type": .string]),
        ],
        optional: ["name": .string, "version": .string])

    private static let runSchema = Shape.object(required: [
        "$schema": .oneOf(["http://json-schema.org/draft-07/schema#"]), "type": .oneOf(["object"]),
        "properties": .object(
            required: ["windowStartTime": time, "windowEndTime": time],
            optional: ["startTime": time, "deltaColumn": column]),
        "required": .array(of: .oneOf(["startTime", "windowStartTime", "windowEndTime", "deltaColumn"])),
    ])

    /// Integers in [S]; the tutorials send strings all the same, so a specification may leave it open.
    private static let time = Shape.object(
        required: [:], optional: ["type": .oneOf(["integer", "string"]), "description": .string])

    private static let column = Shape.object(required: [
        "type": .oneOf(["object"]),
        "properties": .object(required: ["name": text], optional: ["dateFormat": text, "timezone": text]),
        "required": .array(of: .oneOf(["name"]), counting: 1...1),
    ])
    private static let text = Shape.object(required: ["type": .oneOf(["string"])])
}
