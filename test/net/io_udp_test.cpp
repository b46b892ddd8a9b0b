// Batches over real UDP sockets on loopback.
#include "io/clock.hpp"
#include "io/udp_socket.hpp"
#include "net/io_support.hpp"
#include "support/process_counts.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <poll.h>
#include <sys/socket.h>

using namespace asiortc;

namespace {

/// What the kernel is made to answer: loopback is never full and never refuses segmentation.
struct injected_faults {
  std::optional<unsigned> room;  ///< messages until EAGAIN
  int segmentation_error = 0;    ///< for messages with UDP_SEGMENT
  unsigned calls = 0;
} faults;

}  // namespace

extern "C" int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  ++faults.calls;
  if (faults.segmentation_error != 0 && messages[0].msg_hdr.msg_controllen > 0) {
    errno = faults.segmentation_error;
    return -1;
  }
  if (faults.room) {
    count = std::min(count, *faults.room);
    *faults.room -= count;
    if (count == 0) {
      errno = EAGAIN;
      return -1;
    }
  }
  return static_cast<int>(::syscall(SYS_sendmmsg, fd, messages, count, flags));
}

namespace {

const auto loopback = *base::ip_address::parse("127.0.0.1");
constexpr base::socket_id first_id{1};
constexpr base::socket_id second_id{2};

struct bench {
  boost::asio::io_context context;
  io::guarded_strand strand{context.get_executor()};

  std::unique_ptr<io::udp_socket> open(base::socket_id id, bool segmentation = true,
                                       const base::ip_address& address = loopback) {
    auto bound = io::open_udp(address, {}, 0);
    REQUIRE(bound.has_value());
    return std::make_unique<io::udp_socket>(strand.get(), id, std::move(*bound),
                                            io::datagram_sender(segmentation));
  }
};

bool wait_readable(io::udp_socket& socket, int milliseconds = 5000) {
  pollfd entry{socket.native_handle(), POLLIN, 0};
  return ::poll(&entry, 1, milliseconds) == 1;
}

/// A packet that says its number and is of the size given.
base::bytes numbered(std::size_t number, std::size_t size) {
  base::bytes packet(size, static_cast<std::uint8_t>(number * 7));
  packet[0] = static_cast<std::uint8_t>(number >> 8);
  packet[1] = static_cast<std::uint8_t>(number);
  return packet;
}

struct arrived {
  base::bytes bytes;
  base::route from;
};

std::vector<arrived> receive_all(io::udp_socket& socket, std::size_t count) {
  std::vector<arrived> got;
  io::receive_buffers buffers;
  std::vector<base::route> failed;
  while (got.size() < count && wait_readable(socket)) {
    socket.receive(buffers, io::clock_now(), failed);
    for (const auto& datagram : buffers.datagrams()) {
      got.push_back({{datagram.bytes.begin(), datagram.bytes.end()}, datagram.from});
    }
  }
  return got;
}

void exchange(bool segmentation, bool offload) {
  bench b;
  const auto sender = b.open(first_id, segmentation);
  const auto receiver = b.open(second_id);
  io::set_receive_offload(receiver->native_handle(), offload);
  base::packet_batch batch;
  batch.set_route({first_id, receiver->local()}, base::traffic_class::data);
  std::vector<base::bytes> sent;
  // Runs longer than a message can hold, shorter last packets, sizes that grow, a lone small one.
  for (std::size_t i = 0; i < 150; ++i) sent.push_back(numbered(i, 1200));
  for (const std::size_t size : {300u, 1200u, 1200u, 40u, 41u, 2u, 1200u, 3u}) {
    sent.push_back(numbered(sent.size(), size));
  }
  for (const auto& packet : sent) batch.append(packet);
  std::vector<base::route> failed;
  sender->send(batch, 0, batch.size(), failed);
  CHECK(failed.empty());
  CHECK_FALSE(sender->blocked());
  const auto got = receive_all(*receiver, sent.size());
  REQUIRE(got.size() == sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i].bytes == sent[i]);
    CHECK(got[i].from == base::route{second_id, sender->local()});
  }
}

}  // namespace

TEST_CASE("a batch arrives whole and in order, with segmentation and with merging, on and off") {
  for (const bool segmentation : {true, false}) {
    for (const bool offload : {true, false}) {
      CAPTURE(segmentation);
      CAPTURE(offload);
      exchange(segmentation, offload);
    }
  }
}

TEST_CASE("one batch goes to several destinations, over IPv6 too") {
  bench b;
  const auto six = *base::ip_address::parse("::1");
  const auto sender = b.open(first_id, true, six);
  const auto one = b.open(second_id, true, six);
  const auto two = b.open(second_id, true, six);
  base::packet_batch batch;
  for (std::size_t i = 0; i < 40; ++i) {
    const auto& target = i % 5 < 3 ? one : two;
    batch.set_route({first_id, target->local()}, base::traffic_class::data);
    batch.append(numbered(i, 500));
  }
  std::vector<base::route> failed;
  sender->send(batch, 0, batch.size(), failed);
  CHECK(failed.empty());
  CHECK(receive_all(*one, 24).size() == 24);
  CHECK(receive_all(*two, 16).size() == 16);
}

TEST_CASE("an empty datagram is received as one") {
  bench b;
  const auto sender = b.open(first_id);
  const auto receiver = b.open(second_id);
  base::packet_batch batch;
  batch.set_route({first_id, receiver->local()}, base::traffic_class::control);
  batch.append({});
  batch.append(numbered(1, 20));
  std::vector<base::route> failed;
  sender->send(batch, 0, batch.size(), failed);
  const auto got = receive_all(*receiver, 2);
  REQUIRE(got.size() == 2);
  CHECK(got[0].bytes.empty());
}

TEST_CASE("what cannot be sent is dropped and reported, and the rest is sent") {
  bench b;
  const auto sender = b.open(first_id);
  const auto receiver = b.open(second_id);
  base::packet_batch batch;
  const base::route good{first_id, receiver->local()};
  const base::route bad{first_id, {loopback, 0}};  // port 0: EINVAL
  for (const auto& route : {good, bad, good}) {
    batch.set_route(route, base::traffic_class::data);
    batch.append(numbered(0, 100));
    batch.append(numbered(1, 100));
  }
  std::vector<base::route> failed;
  io::datagram_sender plain;
  CHECK(plain.send(sender->native_handle(), batch, 0, batch.size(), failed) == batch.size());
  CHECK(failed == std::vector<base::route>{bad, bad});
  CHECK(plain.segmentation());  // that was not its fault
  CHECK(receive_all(*receiver, 4).size() == 4);
}

TEST_CASE("packets larger than the path takes are dropped, one by one, and segmentation stays") {
  bench b;
  const auto sender = b.open(first_id);
  base::packet_batch batch;
  batch.set_route({first_id, {loopback, 9}}, base::traffic_class::data);
  batch.append(base::bytes(65600));
  io::datagram_sender plain;
  std::vector<base::route> failed;
  CHECK(plain.send(sender->native_handle(), batch, 0, 1, failed) == 1);
  CHECK(failed.size() == 1);
  CHECK(plain.segmentation());
}

TEST_CASE("an ICMP error names its destination and ends neither sending nor receiving") {
  bench b;
  const auto socket = b.open(first_id);
  base::endpoint closed;
  {
    const auto gone = b.open(second_id);
    closed = gone->local();
  }
  base::packet_batch batch;
  batch.set_route({first_id, closed}, base::traffic_class::control);
  batch.append(numbered(0, 20));
  std::vector<base::route> failed;
  socket->send(batch, 0, 1, failed);
  REQUIRE(wait_readable(*socket));
  io::receive_buffers buffers;
  CHECK(socket->receive(buffers, io::clock_now(), failed).messages == 0);
  CHECK(failed == std::vector<base::route>{{first_id, closed}});
  // Nothing is left that would wake us.
  CHECK_FALSE(wait_readable(*socket, 0));

  // A pending error of one destination does not fail a packet to another.
  failed.clear();
  socket->send(batch, 0, 1, failed);
  REQUIRE(wait_readable(*socket));
  const auto receiver = b.open(second_id);
  base::packet_batch good;
  good.set_route({first_id, receiver->local()}, base::traffic_class::control);
  good.append(numbered(3, 20));
  socket->send(good, 0, 1, failed);
  CHECK(failed.empty());
  CHECK(receive_all(*receiver, 1).size() == 1);
}

TEST_CASE(
    "what the kernel has no room for is kept, and sent in order when the socket is writable") {
  bench b;
  const auto sender = b.open(first_id, false);
  const auto receiver = b.open(second_id);
  base::packet_batch batch;
  batch.set_route({first_id, receiver->local()}, base::traffic_class::data);
  for (std::size_t i = 0; i < 100; ++i) batch.append(numbered(i, 1000));
  std::vector<base::route> failed;
  faults.room = 10;
  sender->send(batch, 0, 60, failed);
  CHECK(sender->blocked());
  sender->send(batch, 60, 100, failed);  // waits behind the others
  CHECK(receive_all(*receiver, 10).size() == 10);
  CHECK_FALSE(wait_readable(*receiver, 0));
  faults.room = 30;
  sender->send_backlog(failed);
  CHECK(sender->blocked());
  faults.room.reset();
  bool writable = false;
  sender->async_wait_writable([&](boost::system::error_code error) { writable = !error; });
  CHECK(test::run_until(b.context, [&] { return writable; }));
  sender->send_backlog(failed);
  CHECK_FALSE(sender->blocked());
  CHECK(failed.empty());
  const auto got = receive_all(*receiver, 90);
  REQUIRE(got.size() == 90);
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i].bytes == numbered(i + 10, 1000));
}

TEST_CASE("what a blocked socket keeps is bounded, and the rest counted as lost") {
  bench b;
  const auto sender = b.open(first_id);
  base::packet_batch batch;
  batch.set_route({first_id, {loopback, 9}}, base::traffic_class::data);
  for (std::size_t i = 0; i < 8; ++i) batch.append(base::bytes(1024 * 1024));
  std::vector<base::route> failed;
  faults.room = 0;
  sender->send(batch, 0, batch.size(), failed);
  faults.room.reset();
  CHECK(sender->blocked());
  CHECK(sender->dropped() == 4);
  sender->close();
  CHECK_FALSE(sender->blocked());
}

TEST_CASE("a kernel that refuses segmentation gets every packet by itself from then on") {
  for (const int refusal : {EIO, EINVAL}) {
    CAPTURE(refusal);
    bench b;
    const auto sender = b.open(first_id);
    const auto receiver = b.open(second_id);
    base::packet_batch batch;
    batch.set_route({first_id, receiver->local()}, base::traffic_class::data);
    for (std::size_t i = 0; i < 100; ++i) batch.append(numbered(i, 900));
    faults.segmentation_error = refusal;
    io::datagram_sender sends;
    std::vector<base::route> failed;
    CHECK(sends.send(sender->native_handle(), batch, 0, batch.size(), failed) == batch.size());
    faults.segmentation_error = 0;
    CHECK(failed.empty());
    CHECK_FALSE(sends.segmentation());
    const auto got = receive_all(*receiver, 100);
    REQUIRE(got.size() == 100);
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i].bytes == numbered(i, 900));
  }
}

TEST_CASE("a run too large for the path is sent one by one, and segmentation stays") {
  bench b;
  const auto sender = b.open(first_id);
  const auto receiver = b.open(second_id);
  base::packet_batch batch;
  batch.set_route({first_id, receiver->local()}, base::traffic_class::data);
  for (std::size_t i = 0; i < 10; ++i) batch.append(numbered(i, 900));
  faults.segmentation_error = EMSGSIZE;
  io::datagram_sender sends;
  std::vector<base::route> failed;
  CHECK(sends.send(sender->native_handle(), batch, 0, batch.size(), failed) == batch.size());
  faults.segmentation_error = 0;
  CHECK(failed.empty());
  CHECK(sends.segmentation());
  CHECK(receive_all(*receiver, 10).size() == 10);
}

TEST_CASE("a thousand packets take a few dozen system calls each way at most") {
  bench b;
  const auto sender = b.open(first_id);
  const auto receiver = b.open(second_id);
  base::packet_batch batch;
  batch.set_route({first_id, receiver->local()}, base::traffic_class::data);
  for (std::size_t i = 0; i < 1024; ++i) batch.append(numbered(i, 1200));
  std::vector<base::route> failed;
  faults.calls = 0;
  std::size_t got = 0, receives = 0;
  io::receive_buffers buffers;
  for (std::size_t first = 0; first < batch.size(); first += 256) {
    sender->send(batch, first, first + 256, failed);
    while (got < first + 256 && wait_readable(*receiver)) {
      ++receives;
      receiver->receive(buffers, io::clock_now(), failed);
      got += buffers.datagrams().size();
    }
  }
  MESSAGE("sendmmsg ", faults.calls, ", recvmmsg ", receives, " for ", got, " packets");
  CHECK(got == 1024);
  CHECK(faults.calls <= 40);
  CHECK(receives <= 40);
}

TEST_CASE("ports come from the range, and an exhausted range is an error") {
  const io::port_range range{40210, 40212};
  std::vector<io::bound_socket> open;
  for (int i = 0; i < 3; ++i) {
    auto bound = io::open_udp(loopback, range, 7);
    REQUIRE(bound.has_value());
    CHECK(bound->local.port >= range.min);
    CHECK(bound->local.port <= range.max);
    open.push_back(std::move(*bound));
  }
  const auto none = io::open_udp(loopback, range, 7);
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().code.value() == EADDRINUSE);
  CHECK(none.error().detail.ends_with(" 127.0.0.1 ports 40210 to 40212"));
}

TEST_CASE("closing cancels the wait and gives the descriptor back") {
  const auto before = test::open_descriptors();
  {
    bench b;
    const auto base = test::open_descriptors();
    auto socket = b.open(first_id);
    boost::system::error_code result;
    socket->async_wait_readable([&](boost::system::error_code error) { result = error; });
    b.context.poll();
    socket->close();
    CHECK(test::run_until(b.context, [&] { return bool(result); }));
    CHECK(result == boost::asio::error::operation_aborted);
    socket.reset();
    CHECK(test::open_descriptors() <= base + 3);  // the reactor's own came with the socket
  }
  CHECK(test::open_descriptors() == before);
}
