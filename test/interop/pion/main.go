// The Pion side of the interop tests and of the memory benchmark: joins a room of asiortc.v1, and
// offers to its host or answers whoever comes.
//
// It talks in lines on standard output, which the test reads, and stays until its standard input
// ends. Steered, it joins no room and does what it is told there.
//
// The import paths are those of Debian's packages, without a module: GO111MODULE=off and
// GOPATH=/usr/share/gocode.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

type options struct {
	server, room, role, label string
	count                     int
	lite                      bool
}

func parse() options {
	var parsed options
	flag.StringVar(&parsed.server, "server", "ws://127.0.0.1:8765/", "URL of the signaling server")
	flag.StringVar(&parsed.room, "room", "echo", "room to join")
	flag.StringVar(&parsed.role, "role", "offerer",
		"offerer: comes to a room, offers to its host and says hello; answerer: answers who comes, and "+
			"echoes; steered: peers that are told what to do")
	flag.StringVar(&parsed.label, "label", "from-pion", "label of the offerer's channel")
	flag.BoolVar(&parsed.lite, "lite", false, "be an ICE-lite agent")
	flag.IntVar(&parsed.count, "count", 1, "peer connections of the offerer, each with its own membership")
	flag.Parse()
	return parsed
}

func say(format string, values ...any) { fmt.Printf(format+"\n", values...) }

func run(wanted options) error {
	switch wanted.role {
	case "offerer":
		return offer(wanted)
	case "answerer":
		return echoAll(wanted)
	case "steered":
		return steer()
	}
	return fmt.Errorf("unknown role %s", wanted.role)
}

func awaitEndOfInput() { _, _ = io.Copy(io.Discard, os.Stdin) }

func main() {
	if err := run(parse()); err != nil {
		fmt.Fprintln(os.Stderr, "pion_peer:", err)
		os.Exit(1)
	}
}
