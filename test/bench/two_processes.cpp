#include "two_processes.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <sched.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace asiortc::bench {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Whole strings over a stream socket; it blocks, since nothing is measured meanwhile.
class wire {
 public:
  explicit wire(int descriptor) : descriptor_(descriptor) {}

  void write(const std::string& text) const {
    const auto size = static_cast<std::uint32_t>(text.size());
    write_all(&size, sizeof size);
    write_all(text.data(), text.size());
  }

  [[nodiscard]] std::string read() const {
    std::uint32_t size = 0;
    read_all(&size, sizeof size);
    std::string text(size, '\0');
    read_all(text.data(), text.size());
    return text;
  }

 private:
  void write_all(const void* data, std::size_t size) const {
    if (::send(descriptor_, data, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) fail("send");
  }

  void read_all(void* data, std::size_t size) const {
    if (size == 0) return;
    if (::recv(descriptor_, data, size, MSG_WAITALL) != static_cast<ssize_t>(size)) {
      throw std::runtime_error("the other process ended");
    }
  }

  int descriptor_;
};

struct link {
  int first = -1;
  int second = -1;
};

link make_link() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) fail("socketpair");
  return {ends[0], ends[1]};
}

void enter_namespace(const std::string& name) {
  if (name.empty()) return;
  const int descriptor = ::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 || ::setns(descriptor, CLONE_NEWNET) != 0) fail("network namespace " + name);
  ::close(descriptor);
}

void pin_to_core(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<std::size_t>(core), &cores);
  static_cast<void>(::sched_setaffinity(0, sizeof cores, &cores));
}

asio::awaitable<void> gather(peer_connection& peer) {
  const auto states = peer.ice_gathering_states();
  while (peer.ice_gathering_state() != ice_gathering_state::complete) {
    auto change = co_await states.async_next();
    if (!change) throw std::runtime_error("the connection ended while it gathered");
  }
}

asio::awaitable<void> send_side(peer_connection& peer, wire other, const side& work,
                                std::string& result) {
  auto channel = peer.create_data_channel("bench");
  co_await peer.async_set_local_description();
  co_await gather(peer);
  other.write(peer.local_description()->sdp);
  session_description answer(sdp_type::answer, other.read());
  co_await peer.async_set_remote_description(answer);
  co_await channel.async_open();
  result = co_await work(channel);
  co_await peer.async_close();
}

asio::awaitable<void> receive_side(peer_connection& peer, wire other, const side& work,
                                   std::string& result) {
  session_description offer(sdp_type::offer, other.read());
  co_await peer.async_set_remote_description(offer);
  co_await peer.async_set_local_description();
  co_await gather(peer);
  other.write(peer.local_description()->sdp);
  const auto channels = peer.data_channels();
  auto channel = co_await channels.async_next();
  if (!channel) throw std::runtime_error("no channel came");
  result = co_await work(*channel);
  co_await peer.async_close();
}

using role = asio::awaitable<void> (*)(peer_connection&, wire, const side&, std::string&);

int run_child(role play, const std::string& netns, int core, wire other, wire parent,
              const side& work) {
  try {
    enter_namespace(netns);
    pin_to_core(core);
    asio::io_context context(1);
    peer_connection peer(context);
    std::string result;
    std::exception_ptr failure;
    asio::co_spawn(context, play(peer, other, work, result),
                   [&](std::exception_ptr thrown) { failure = thrown; });
    context.run();
    if (failure) std::rethrow_exception(failure);
    parent.write(result);
    return 0;
  } catch (const std::exception& wrong) {
    std::cerr << "bench: " << wrong.what() << '\n';
    return 1;
  }
}

pid_t fork_child(role play, const std::string& netns, int core, int other, int parent,
                 const side& work) {
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  if (child == 0) ::_exit(run_child(play, netns, core, wire(other), wire(parent), work));
  ::close(other);
  ::close(parent);
  return child;
}

void await_child(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) {
    throw std::runtime_error("a side of the benchmark failed");
  }
}

}  // namespace

both_reports run_two_processes(const placement& where, const side& sender, const side& receiver) {
  const link signaling = make_link();
  const link to_sender = make_link();
  const link to_receiver = make_link();
  const pid_t sending =
      fork_child(send_side, where.sender_netns, 0, signaling.first, to_sender.second, sender);
  const pid_t receiving = fork_child(receive_side, where.receiver_netns, 1, signaling.second,
                                     to_receiver.second, receiver);
  both_reports reports;
  reports.sender = wire(to_sender.first).read();
  reports.receiver = wire(to_receiver.first).read();
  await_child(sending);
  await_child(receiving);
  ::close(to_sender.first);
  ::close(to_receiver.first);
  return reports;
}

}  // namespace asiortc::bench
