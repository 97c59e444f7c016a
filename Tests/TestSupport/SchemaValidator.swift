import Foundation

/// A validator of JSON with the schemas in `schemas/`, using Python's `jsonschema`. An independent implementation does
/// not share our misunderstandings.
package enum SchemaValidator {
    /// A JSON text with the name of its schema: `plan`, `manifest`, ….
    package struct Instance: Encodable, Sendable {
        let schema: String
        let json: String

        package init(_ schema: String, _ json: String) {
            self.schema = schema
            self.json = json
        }
    }

    /// Returns the first error of each instance with its path; `nil` for valid ones.
    ///
    /// - Parameter schemas: The folder of the schemas.
    package static func faults(in instances: [Instance], schemas: URL = schemas) throws -> [String?] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "schemas-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (input, output) = (folder.appending(path: "instances"), folder.appending(path: "faults"))
        try JSONEncoder().encode(instances).write(to: input)
        try Data().write(to: output)

        let process = Process()
        // Debian's package works only with Debian's Python, which may not be first in the path.
        let python = ["/usr/bin/python3"].first { FileManager.default.isExecutableFile(atPath: $0) }
        process.executableURL = URL(filePath: python ?? "/usr/bin/env")
        process.arguments = (python == nil ? ["python3"] : []) + ["-c", script, schemas.path]
        process.standardInput = try FileHandle(forReadingFrom: input)
        process.standardOutput = try FileHandle(forWritingTo: output)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure.noValidator }
        return try JSONDecoder().decode([String?].self, from: Data(contentsOf: output))
    }

    package enum Failure: Error, CustomStringConvertible {
        case noValidator

        package var description: String { "python3 with 'jsonschema' is wanted: apt-get install python3-jsonschema" }
    }

    package static let schemas = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "schemas")

    private static let script = """
        import json, pathlib, sys
        from jsonschema import Draft202012Validator

        validators = {}
        for path in pathlib.Path(sys.argv[1]).glob("*.schema.json"):
            schema = json.loads(path.read_text())
            Draft202012Validator.check_schema(schema)
            validators[path.name.removesuffix(".schema.json")] = Draft202012Validator(schema)

        def fault(instance):
            errors = validators[instance["schema"]].iter_errors(json.loads(instance["json"]))
            error = min(errors, key=lambda error: (len(error.absolute_path), error.json_path), default=None)
            return error and f"{error.json_path}: {error.message}"

        json.dump([fault(instance) for instance in json.load(sys.stdin)], sys.stdout)
        """
}
