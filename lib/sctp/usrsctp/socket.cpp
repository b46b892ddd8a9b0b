#include "sctp/usrsctp/socket.hpp"

#include "sctp/wire.hpp"

#include <usrsctp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <vector>

namespace asiortc::sctp {
namespace {

constexpr std::uint32_t rto_initial_ms = 1000;
constexpr std::uint32_t rto_min_ms = 200;
// RFC 9260 16 suggests a minute. ICE tells when the peer is gone; but after an outage nothing moves
// before the timer runs out, and then another way is mostly there already.
constexpr std::uint32_t rto_max_ms = 3000;
// Practically for ever: it is ICE that decides when the peer is gone, not SCTP (RFC 8831 6.2 lets
// the association outlive path changes).
constexpr std::uint16_t unlimited = 65535;

constexpr std::array<std::uint16_t, 5> wanted_events{
    SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT, SCTP_SEND_FAILED_EVENT, SCTP_PARTIAL_DELIVERY_EVENT,
    SCTP_SHUTDOWN_EVENT};

sockaddr_conn make_address(address_id id, std::uint16_t port) {
  sockaddr_conn address{};
  address.sconn_family = AF_CONN;
#ifdef HAVE_SCONN_LEN
  address.sconn_len = sizeof address;
#endif
  address.sconn_port = htons(port);
  address.sconn_addr = to_address(id);
  return address;
}

}  // namespace

engine_socket::~engine_socket() { close(); }

template <class Value>
bool engine_socket::set_option(int level, int name, const Value& value) {
  return usrsctp_setsockopt(socket_, level, name, &value, sizeof value) == 0;
}

engine_socket::error_number engine_socket::open(const settings& settings, std::size_t buffer_size,
                                                address_owner& owner) {
  id_ = library_.add(owner);
  socket_ = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
  if (socket_ == nullptr) {
    const int error = errno;
    library_.remove(id_);
    return error;
  }
  const error_number error = configure(settings, buffer_size);
  if (error != 0) close();
  return error;
}

engine_socket::error_number engine_socket::configure(const settings& settings,
                                                     std::size_t buffer_size) {
  const auto on_event = [](struct socket*, void* address, int) {
    library::instance().readable(address_id{reinterpret_cast<std::uintptr_t>(address)});
  };
  // Linger 0: close sends an ABORT at once and leaves nothing behind.
  const linger at_once{1, 0};
  const int on = 1;
  bool ok = usrsctp_set_non_blocking(socket_, 1) == 0 &&
            usrsctp_set_upcall(socket_, on_event, to_address(id_)) == 0 &&
            set_option(SOL_SOCKET, SO_LINGER, at_once) &&
            set_option(IPPROTO_SCTP, SCTP_NODELAY, on) &&
            set_option(IPPROTO_SCTP, SCTP_RECVRCVINFO, on) && set_events() && set_timing(settings);
  if (!ok) return errno;
  set_send_buffer(buffer_size);
  set_receive_buffer(buffer_size);
  auto local = make_address(id_, settings.local_port);
  if (usrsctp_bind(socket_, reinterpret_cast<sockaddr*>(&local), sizeof local) != 0) return errno;
  auto remote = make_address(id_, settings.remote_port);
  if (usrsctp_connect(socket_, reinterpret_cast<sockaddr*>(&remote), sizeof remote) != 0 &&
      errno != EINPROGRESS) {
    return errno;
  }
  return 0;
}

bool engine_socket::set_events() {
  return std::all_of(wanted_events.begin(), wanted_events.end(), [this](std::uint16_t type) {
    sctp_event wanted{};
    wanted.se_assoc_id = SCTP_ALL_ASSOC;
    wanted.se_type = type;
    wanted.se_on = 1;
    return set_option(IPPROTO_SCTP, SCTP_EVENT, wanted);
  });
}

bool engine_socket::set_timing(const settings& settings) {
  sctp_initmsg init{};
  init.sinit_num_ostreams = settings.max_streams;
  init.sinit_max_instreams = settings.max_streams;
  init.sinit_max_attempts = unlimited;
  init.sinit_max_init_timeo = rto_max_ms;
  sctp_rtoinfo rto{};
  rto.srto_initial = rto_initial_ms;
  rto.srto_min = rto_min_ms;
  rto.srto_max = rto_max_ms;
  sctp_assocparams lifetime{};
  lifetime.sasoc_asocmaxrxt = unlimited;
  sctp_paddrparams path{};
  // ICE checks the path (consent), and its MTU is fixed: RFC 8831 5 lets one do without discovery.
  path.spp_flags = SPP_HB_DISABLE | SPP_PMTUD_DISABLE;
  path.spp_pathmtu = static_cast<std::uint32_t>(settings.max_packet_size - common_header_size);
  path.spp_pathmaxrxt = unlimited;
  sctp_assoc_value reset{};
  reset.assoc_id = SCTP_ALL_ASSOC;
  reset.assoc_value = SCTP_ENABLE_RESET_STREAM_REQ;
  return set_option(IPPROTO_SCTP, SCTP_INITMSG, init) &&
         set_option(IPPROTO_SCTP, SCTP_RTOINFO, rto) &&
         set_option(IPPROTO_SCTP, SCTP_ASSOCINFO, lifetime) &&
         set_option(IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, path) &&
         set_option(IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, reset);
}

void engine_socket::close() {
  if (socket_ == nullptr) return;
  usrsctp_set_upcall(socket_, nullptr, nullptr);
  // The ABORT goes out in this call, so the address is taken back after it.
  usrsctp_close(socket_);
  socket_ = nullptr;
  library_.remove(id_);
}

void engine_socket::input(base::byte_span packet) {
  usrsctp_conninput(to_address(id_), packet.data(), packet.size(), 0);
}

engine_socket::error_number engine_socket::send(const send_options& options,
                                                base::byte_span payload) {
  sctp_sendv_spa how{};
  how.sendv_flags = SCTP_SEND_SNDINFO_VALID;
  how.sendv_sndinfo.snd_sid = static_cast<std::uint16_t>(options.stream);
  how.sendv_sndinfo.snd_ppid = htonl(static_cast<std::uint32_t>(options.ppid));
  if (options.unordered) how.sendv_sndinfo.snd_flags = SCTP_UNORDERED;
  // RFC 7053 4: a stream cannot be reset before its OPEN or ACK is acknowledged, so that a channel
  // that closes soon would wait for a delayed SACK.
  if (options.ppid == ppid::dcep) how.sendv_sndinfo.snd_flags |= SCTP_SACK_IMMEDIATELY;
  if (options.max_retransmits) {
    how.sendv_flags |= SCTP_SEND_PRINFO_VALID;
    how.sendv_prinfo.pr_policy = SCTP_PR_SCTP_RTX;
    how.sendv_prinfo.pr_value = *options.max_retransmits;
  } else if (options.lifetime) {
    how.sendv_flags |= SCTP_SEND_PRINFO_VALID;
    how.sendv_prinfo.pr_policy = SCTP_PR_SCTP_TTL;
    how.sendv_prinfo.pr_value = static_cast<std::uint32_t>(options.lifetime->count());
  }
  const ssize_t sent = usrsctp_sendv(socket_, payload.data(), payload.size(), nullptr, 0, &how,
                                     sizeof how, SCTP_SENDV_SPA, 0);
  return sent < 0 ? errno : 0;
}

std::optional<engine_socket::received> engine_socket::receive() {
  const base::mutable_byte_span room = library_.scratch();
  sctp_rcvinfo info{};
  socklen_t info_size = sizeof info;
  unsigned int info_type = SCTP_RECVV_NOINFO;
  int flags = 0;
  const ssize_t size = usrsctp_recvv(socket_, room.data(), room.size(), nullptr, nullptr, &info,
                                     &info_size, &info_type, &flags);
  if (size < 0) return std::nullopt;
  received result;
  result.bytes = room.first(static_cast<std::size_t>(size));
  result.stream = stream_id{info.rcv_sid};
  result.ppid = static_cast<sctp::ppid>(ntohl(info.rcv_ppid));
  result.unordered = (info.rcv_flags & SCTP_UNORDERED) != 0;
  result.is_notification = (flags & MSG_NOTIFICATION) != 0;
  result.ends = (flags & MSG_EOR) != 0;
  return result;
}

bool engine_socket::next_is_notification() {
  std::array<std::uint8_t, 1> front{};  // no more, since a look at all of it would cost a copy
  sctp_rcvinfo info{};
  socklen_t info_size = sizeof info;
  unsigned int info_type = SCTP_RECVV_NOINFO;
  int flags = MSG_PEEK;
  const ssize_t size = usrsctp_recvv(socket_, front.data(), front.size(), nullptr, nullptr, &info,
                                     &info_size, &info_type, &flags);
  return size > 0 && (flags & MSG_NOTIFICATION) != 0;
}

engine_socket::error_number engine_socket::reset(std::span<const stream_id> streams) {
  const std::size_t list_size = streams.size() * sizeof(std::uint16_t);
  // The list is a flexible array behind the structure; the vector is aligned for both.
  std::vector<std::uint32_t> memory((sizeof(sctp_reset_streams) + list_size + 3) / 4);
  auto* request = reinterpret_cast<sctp_reset_streams*>(memory.data());
  request->srs_assoc_id = SCTP_ALL_ASSOC;
  request->srs_flags = SCTP_STREAM_RESET_OUTGOING;
  request->srs_number_streams = static_cast<std::uint16_t>(streams.size());
  std::memcpy(request->srs_stream_list, streams.data(), list_size);
  const auto size = static_cast<socklen_t>(sizeof(sctp_reset_streams) + list_size);
  const int result = usrsctp_setsockopt(socket_, IPPROTO_SCTP, SCTP_RESET_STREAMS, request, size);
  return result == 0 ? 0 : errno;
}

void engine_socket::set_send_buffer(std::size_t size) {
  set_option(SOL_SOCKET, SO_SNDBUF, static_cast<int>(size));
}

void engine_socket::set_receive_buffer(std::size_t size) {
  set_option(SOL_SOCKET, SO_RCVBUF, static_cast<int>(size));
}

void engine_socket::watch_for_dry() {
  sctp_event wanted{};
  wanted.se_assoc_id = SCTP_ALL_ASSOC;
  wanted.se_type = SCTP_SENDER_DRY_EVENT;
  wanted.se_on = 1;
  set_option(IPPROTO_SCTP, SCTP_EVENT, wanted);
}

}  // namespace asiortc::sctp
