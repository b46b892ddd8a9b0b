// A socket of a mux, as its strand has it.
#pragma once

#include "io/mux.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace asiortc::io {

/// Lives until its last wait has completed.
struct mux::bound_port {
  using descriptor_type = boost::asio::posix::basic_stream_descriptor<guarded_strand::strand_type>;

  bound_port(const guarded_strand::strand_type& strand, mux_address of)
      : address(std::move(of)), descriptor(std::in_place, strand, address.fd->get()) {}
  ~bound_port() { release(); }
  bound_port(const bound_port&) = delete;
  bound_port& operator=(const bound_port&) = delete;

  /// Waits complete with `operation_aborted`. Asio gives the descriptor back, which it does not
  /// own.
  void release() {
    if (!descriptor) return;
    static_cast<void>(descriptor->release());
    descriptor.reset();
  }

  const mux_address address;
  std::optional<descriptor_type> descriptor;  ///< none once closed
  bool listening = false;
  bool awaiting_writable = false;
  std::vector<std::weak_ptr<mux_link>> blocked;  ///< under the mux's mutex
};

}  // namespace asiortc::io
