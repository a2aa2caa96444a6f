import Testing

@testable import PluginHost

@Suite struct `The memory that there is` {
  @Test func `is bounded by the control group and by every one above it`() {
    #expect(
      MachineMemory.limitFiles(of: "0::/system.slice/sluice.service\n") == [
        "/sys/fs/cgroup/system.slice/sluice.service/memory.max",
        "/sys/fs/cgroup/system.slice/sluice.service/memory.high",
        "/sys/fs/cgroup/system.slice/memory.max", "/sys/fs/cgroup/system.slice/memory.high",
        "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.high",
      ])
  }

  @Test func `is found in groups of the first version, in the hierarchy that has the memory`() {
    let groups = "5:cpu,cpuacct:/a\n4:pids,memory:/docker/b\n1:name=systemd:/c\n"
    #expect(
      MachineMemory.limitFiles(of: groups) == [
        "/sys/fs/cgroup/memory/docker/b/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
      ])
  }

  @Test func `is not looked for in lines that say something else`() {
    #expect(MachineMemory.limitFiles(of: "") == [])
    #expect(
      MachineMemory.limitFiles(of: "nonsense\n1:memory\n::\n") == [
        "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.high",
      ])
  }

  @Test func `is some of this machine's, and what the limit's default is made of`() {
    #expect(MachineMemory.bytes > 1 << 20)
    #expect(Limit.memoryBytes.standard < MachineMemory.bytes)
    #expect(Limit.memoryBytes.range.contains(Limit.memoryBytes.standard))
    #expect(!Limit.markdown.contains(String(Limit.memoryBytes.standard)))
  }
}
