package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"sync"

	"github.com/pion/webrtc"
)

// command is what a line of standard input tells; ../steered.js says what each means.
type command struct {
	ID      int                    `json:"id"`
	Do      string                 `json:"do"`
	Peer    int                    `json:"peer"`
	Signal  signal                 `json:"signal"`
	Label   string                 `json:"label"`
	Init    webrtc.DataChannelInit `json:"init"`
	Channel int                    `json:"channel"`
	Message content                `json:"message"`
}

// content is a message as ../messages.js tells it.
type content struct {
	Text    bool    `json:"text"`
	Content *string `json:"content"`
	Size    int     `json:"size"`
}

var saying sync.Mutex

func tellLine(what object) {
	line, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	saying.Lock()
	defer saying.Unlock()
	fmt.Println(string(line))
}

// steer carries out the lines of standard input until it ends, each in turn but for those that
// wait.
func steer() error {
	peers := map[int]*steered{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var told command
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			return err
		}
		if told.Do == "make" {
			made, err := newSteered(told.Peer)
			peers[told.Peer] = made
			answer(told, nil, err)
			continue
		}
		target := peers[told.Peer]
		if wait, found := waits[told.Do]; found {
			go func() {
				result, err := wait(target, told)
				answer(told, result, err)
			}()
			continue
		}
		result, err := target.carryOut(told)
		answer(told, result, err)
	}
	return lines.Err()
}

func answer(told command, result any, err error) {
	if err != nil {
		tellLine(object{"id": told.ID, "error": err.Error()})
		return
	}
	tellLine(object{"id": told.ID, "result": result})
}

// steered is one peer connection with its channels.
type steered struct {
	*peer
	incoming chan *channel

	mutex    sync.Mutex
	channels []*channel
	states   []string
}

func newSteered(number int) (*steered, error) {
	inner, err := newPeer(false, func(data object) error {
		tellLine(object{"peer": number, "signal": data})
		return nil
	})
	if err != nil {
		return nil, err
	}
	made := &steered{peer: inner, incoming: make(chan *channel, 256), states: []string{}}
	inner.OnDataChannel(func(arrived *webrtc.DataChannel) { made.incoming <- watch(arrived) })
	inner.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		made.mutex.Lock()
		defer made.mutex.Unlock()
		made.states = append(made.states, state.String())
	})
	return made, nil
}

func (s *steered) adopt(made *channel) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.channels = append(s.channels, made)
	return len(s.channels) - 1
}

func (s *steered) at(index int) *channel {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.channels[index]
}

func (s *steered) carryOut(told command) (any, error) {
	switch told.Do {
	case "open":
		return s.openNew(told.Label, told.Init)
	case "signal":
		return nil, s.onSignal(told.Signal)
	case "offer":
		return nil, s.offer()
	case "restart":
		return nil, s.restart()
	case "send":
		return nil, s.at(told.Channel).send(messageOf(told.Message))
	case "close":
		return nil, s.at(told.Channel).Close()
	case "largest":
		return 65536, nil // its association's default, which nothing that is public tells
	case "state":
		return s.state(), nil
	case "end":
		_ = s.Close() // which complains when the other side was first
		return nil, nil
	}
	return nil, fmt.Errorf("unknown command %s", told.Do)
}

// openNew offers for the first channel; the others need no offer.
func (s *steered) openNew(label string, init webrtc.DataChannelInit) (any, error) {
	inner, err := s.CreateDataChannel(label, &init)
	if err != nil {
		return nil, err
	}
	index := s.adopt(watch(inner))
	if s.LocalDescription() == nil && s.RemoteDescription() == nil {
		err = s.offer()
	}
	return index, err
}

func (s *steered) state() object {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return object{
		"signalingState": s.SignalingState().String(), "connectionState": s.ConnectionState().String(),
		"iceConnectionState": s.ICEConnectionState().String(), "states": append([]string{}, s.states...),
	}
}

var waits = map[string]func(*steered, command) (any, error){
	"accept": func(s *steered, _ command) (any, error) {
		arrived := <-s.incoming
		index := s.adopt(arrived)
		return describeChannel(arrived, index), nil
	},
	"opened": func(s *steered, told command) (any, error) {
		opened := s.at(told.Channel)
		return describeChannel(opened, told.Channel), opened.awaitOpen()
	},
	"receive": func(s *steered, told command) (any, error) {
		if received, ok := s.at(told.Channel).receive(); ok {
			return describeMessage(received), nil
		}
		return nil, nil
	},
	"closed": func(s *steered, told command) (any, error) {
		<-s.at(told.Channel).closed
		return nil, nil
	},
	"stable": func(s *steered, _ command) (any, error) {
		s.negotiating.Lock()
		defer s.negotiating.Unlock()
		for s.SignalingState() != webrtc.SignalingStateStable {
			s.described.Wait()
		}
		return nil, nil
	},
}

func describeChannel(from *channel, index int) object {
	return object{
		"channel": index, "label": from.Label(), "protocol": from.Protocol(), "ordered": from.Ordered(),
		"negotiated": from.Negotiated(), "maxRetransmits": from.MaxRetransmits(),
		"maxPacketLifeTime": from.MaxPacketLifeTime(), "id": from.ID(),
	}
}

func messageOf(told content) webrtc.DataChannelMessage {
	made := webrtc.DataChannelMessage{IsString: told.Text}
	switch {
	case told.Content == nil:
		made.Data = make([]byte, told.Size)
		for index := range made.Data {
			if told.Text {
				made.Data[index] = byte('a' + index%26)
			} else {
				made.Data[index] = byte(index * 31)
			}
		}
	case told.Text:
		made.Data = []byte(*told.Content)
	default:
		made.Data, _ = hex.DecodeString(*told.Content)
	}
	return made
}

func describeMessage(received webrtc.DataChannelMessage) object {
	told := object{"text": received.IsString}
	switch {
	case len(received.Data) > 1024:
		sum := fnv.New32a()
		_, _ = sum.Write(received.Data)
		told["size"], told["sum"] = len(received.Data), sum.Sum32()
	case received.IsString:
		told["content"] = string(received.Data)
	default:
		told["content"] = hex.EncodeToString(received.Data)
	}
	return told
}
