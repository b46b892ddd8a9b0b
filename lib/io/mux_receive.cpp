// The strand of a mux: what arrives, and when a socket takes more.
#include "io/clock.hpp"
#include "io/mux_link.hpp"
#include "io/mux_port.hpp"
#include "stun/message_view.hpp"

#include <boost/asio/error.hpp>

#include <utility>

namespace asiortc::io {

bool mux::has_peers() const {
  const std::lock_guard lock(mutex_);
  return !links_.empty();
}

void mux::update() {
  const bool wanted = has_peers() && is_open();
  for (const auto& port : ports()) {
    if (wanted) {
      listen(port);
    } else if (port->descriptor) {
      port->descriptor->cancel();
    }
  }
  if (!wanted) {
    if (watch_token_ != 0) resources_->interfaces().unsubscribe(std::exchange(watch_token_, 0));
  } else if (watch_token_ == 0 && options_.addresses.empty()) {
    const auto weak = std::weak_ptr<mux>(self());
    watch_token_ = resources_->interfaces().subscribe([weak](const auto& there) {
      const auto held = weak.lock();
      if (held) held->strand_.post([held, there] { held->follow_interfaces(*there); });
    });
    // They may have changed while nobody looked.
    if (const auto there = look_at_addresses()) follow_interfaces(*there);
  }
}

void mux::listen(const port_ptr& port) {
  if (!port->descriptor || std::exchange(port->listening, true)) return;
  port->descriptor->async_wait(bound_port::descriptor_type::wait_read,
                               [self = self(), port](boost::system::error_code error) {
                                 port->listening = false;
                                 if (error && error != boost::asio::error::operation_aborted)
                                   return;
                                 if (!error) self->receive(port);
                                 if (self->has_peers()) self->listen(port);
                               });
}

void mux::receive(const port_ptr& port) {
  const auto memory = resources_->borrow();
  for (int i = 0; i < max_receives_a_turn && port->descriptor; ++i) {
    const auto outcome =
        memory->receive.receive(port->address.fd->get(), port->address.id, clock_now());
    if (outcome.messages == 0) {
      read_icmp_errors(port->address.fd->get(), port->address.id, memory->failed);
      report_errors(memory->failed);
    }
    sort_out(memory->receive.datagrams());
    if (outcome.messages < receive_buffers::slots) return;
  }
}

void mux::sort_out(std::span<const base::datagram> datagrams) {
  {
    const auto now = clock_now();
    const std::lock_guard lock(mutex_);
    bool plain_before = false;  // the datagram before was no STUN, so its address says whose it is
    for (std::size_t i = 0; i < datagrams.size(); ++i) {
      const auto& [bytes, from, arrival, ecn] = datagrams[i];
      const bool plain = !stun::looks_like_stun(bytes);
      const bool same = plain && plain_before && from == datagrams[i - 1].from &&
                        stretches_.back().owner != ice::mux_peer::none;
      plain_before = plain;
      const auto owner = same ? stretches_.back().owner : table_.find(now, from, bytes);
      if (stretches_.empty() || stretches_.back().owner != owner) {
        stretches_.push_back({owner, find_link(owner), i});
      }
      stretches_.back().end = i + 1;
    }
  }
  std::size_t start = 0;
  for (auto& each : stretches_) {
    const auto part = datagrams.subspan(start, each.end - start);
    start = each.end;
    if (each.link && each.link->append(part)) awoken_.push_back(std::move(each.link));
  }
  for (const auto& link : awoken_) link->wake();
  stretches_.clear();
  awoken_.clear();
}

void mux::report_errors(std::vector<base::route>& failed) {
  for (const auto& route : std::exchange(failed, {})) {
    link_ptr link;
    {
      const std::lock_guard lock(mutex_);
      link = find_link(table_.owner(route));
    }
    if (link && link->note_error(route)) link->wake();
  }
}

void mux::watch_writable(const port_ptr& port) {
  if (!port->descriptor || std::exchange(port->awaiting_writable, true)) return;
  port->descriptor->async_wait(bound_port::descriptor_type::wait_write,
                               [self = self(), port](boost::system::error_code) {
                                 port->awaiting_writable = false;
                                 std::vector<std::weak_ptr<mux_link>> blocked;
                                 {
                                   const std::lock_guard lock(self->mutex_);
                                   blocked.swap(port->blocked);
                                 }
                                 for (const auto& each : blocked) {
                                   const auto link = each.lock();
                                   if (link && link->note_writable()) link->wake();
                                 }
                               });
}

}  // namespace asiortc::io
