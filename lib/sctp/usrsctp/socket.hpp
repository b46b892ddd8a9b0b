// One usrsctp socket with the settings that data channels want. Every call within a session.
#pragma once

#include "sctp/usrsctp/library.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

struct socket;

namespace asiortc::sctp {

class engine_socket {
 public:
  explicit engine_socket(library& of) : library_(of) {}
  engine_socket(const engine_socket&) = delete;
  engine_socket& operator=(const engine_socket&) = delete;
  ~engine_socket();

  /// What the calls return: 0 or an errno.
  using error_number = int;

  /// What one receive gave; a notification has neither stream nor ppid.
  struct received {
    base::byte_span bytes;
    stream_id stream{};
    sctp::ppid ppid{};
    bool unordered = false;
    bool is_notification = false;
    bool ends = false;  ///< the message or the notification is complete with it
  };

  /// Registers an address for the owner, makes the socket, binds and connects it: the INIT is out.
  error_number open(const settings& settings, std::size_t buffer_size, address_owner& owner);

  /// Sends an ABORT if there is a peer, and takes the address back.
  void close();

  [[nodiscard]] bool is_open() const { return socket_ != nullptr; }

  void input(base::byte_span packet);
  error_number send(const send_options& options, base::byte_span payload);
  /// One piece in the library's scratch room; nothing when there is none. An empty piece is the
  /// end.
  std::optional<received> receive();
  /// Whether a notification comes next; takes nothing.
  bool next_is_notification();
  error_number reset(std::span<const stream_id> streams);

  void set_send_buffer(std::size_t size);
  void set_receive_buffer(std::size_t size);
  /// Asks to be told when all is acknowledged; only abandoned messages make that necessary.
  void watch_for_dry();

 private:
  error_number configure(const settings& settings, std::size_t buffer_size);
  template <class Value>
  bool set_option(int level, int name, const Value& value);
  bool set_events();
  bool set_timing(const settings& settings);

  library& library_;
  socket* socket_ = nullptr;
  address_id id_{};
};

}  // namespace asiortc::sctp
