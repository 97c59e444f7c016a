import Foundation
import Testing

/// Stops during waits, and reads that would not end by themselves.
@Suite("Stops and refusals while reading", .timeLimit(.minutes(2)))
struct StopTests {
    @Test(
        "SIGINT ends a wait that the service requested, in an apply and in a refresh", arguments: ["apply", "refresh"])
    func stopped(command: String) async throws {
        let world = try await World(flows: 1, windows: 1, "--fault", "get-runs/503-retry-after:5m")
        let arguments = [command, "flows.yaml", "target.yaml"] + (command == "apply" ? ["--yes"] : [])
        let program = try world.user.start(arguments)
        try await program.waitForErrors("answered 503, retrying in 30")
        program.signal(SIGINT)
        let result = try await program.end()
        #expect(result.status == 1, "\(result.errors)")
        #expect(try await world.simulator.statistics().runsTaken == 0)
        try await world.end()
    }

    @Test("an API key without read access exits with 77, and no run is requested", arguments: ["apply", "refresh"])
    func forbidden(command: String) async throws {
        let world = try await World(
            flows: 1, windows: 1, "--fault", "get-flows/403", "--fault", "get-runs/403")
        let result = try await world.run(command, more: command == "apply" ? ["--yes"] : [])
        #expect(result.status == 77, "\(result.errors)")
        #expect(result.errors.contains("the service denied access (403"))
        #expect(try await world.simulator.statistics().runsTaken == 0)
        try await world.end()
    }

    @Test("Ctrl-C at the confirmation prompt exits immediately, even after runs were read")
    func asked() async throws {
        let world = try await World(flows: 1, windows: 1, limits: "{running: 5}")
        // A run that has not ended by what is recorded is read before the question.
        #expect(try await world.apply().status == 0)
        try world.user.write(Fixture.manifest([Fixture.flow(Fixture.id(0), windows: 2)]), to: "flows.yaml")
        let terminal = """
            import os, pty, sys, threading
            process, terminal = pty.fork()
            if process == 0: os.execv(sys.argv[1], sys.argv[1:])
            threading.Timer(30, os.kill, (process, 9)).start()
            said = b""
            while b"Type 'yes'" not in said: said += os.read(terminal, 4096)
            os.write(terminal, b"\\x03")
            print("ended with", os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
            os._exit(0)
            """
        let result = try await world.user.start(["apply", "flows.yaml", "target.yaml"], below: terminal).end()
        #expect(result.output == "ended with 130\n", "\(result.errors)")
        #expect(try await world.simulator.statistics().runsTaken == 1)
        try await world.end()
    }

    @Test("the second SIGINT ends an apply whose output is not read")
    func unread() async throws {
        let world = try await World(flows: 4, windows: 400)
        let parent = """
            import array, fcntl, subprocess, sys, termios, time
            program = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            waiting = array.array("i", [0])
            while waiting[0] < 60000:
                fcntl.ioctl(program.stderr, termios.FIONREAD, waiting)
                time.sleep(1)
            for again in range(2):
                program.send_signal(2)
                time.sleep(0.5)
            try: status = program.wait(10)
            except subprocess.TimeoutExpired: status = program.kill()
            print("ended with", status)
            """
        #expect(try await world.user.start(World.apply, below: parent).end().output == "ended with 130\n")
        try await world.finish()
    }
}
