"""The program inside the sandbox: a supervisor, its fork servers and the code they run. Standard library only.

Three kinds of process, each trusting only the ones before it:

* the *supervisor* (`server`) talks to the host, hands requests out, watches clocks and memory, and cleans up;
* a *zygote* (`zygote`) has modules preloaded and forks; it never sees a request;
* a *child* (`child`) confines itself, waits, receives one request, runs it and dies.

What a child reports through its shared region is only its own answer; how it ended comes from `waitpid`.
"""
