#include "unit/dtls/raw_peer.hpp"

#include <doctest/doctest.h>

namespace asiortc::test {

raw_peer::raw_peer(dtls::role role, const std::function<void(SSL_CTX*)>& prepare)
    : context_(SSL_CTX_new(DTLS_method())) {
  SSL_CTX_use_certificate(context_.get(), shared_identity()->certificate());
  SSL_CTX_use_PrivateKey(context_.get(), shared_identity()->key());
  SSL_CTX_set_options(context_.get(), SSL_OP_NO_QUERY_MTU);
  prepare(context_.get());
  ssl_.reset(SSL_new(context_.get()));
  BIO* bio = bio_.make_bio();
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_mtu(ssl_.get(), 1200);
  if (role == dtls::role::client) {
    SSL_set_connect_state(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
  deliver({});
}

void raw_peer::deliver(base::byte_span datagram) {
  bio_.give(datagram);
  (void)SSL_do_handshake(ssl_.get());
  ERR_clear_error();
}

std::vector<base::bytes> raw_peer::poll() {
  base::packet_batch out;
  bio_.drain(out);
  std::vector<base::bytes> packets;
  for (const auto& entry : out.entries()) {
    const auto view = out.view(entry);
    packets.emplace_back(view.begin(), view.end());
  }
  sent_ += packets.size();
  return packets;
}

void raw_peer::carry(side& other) {
  bool more = true;
  while (more) {
    const auto mine = poll();
    for (const auto& packet : mine) other.deliver(packet);
    const auto theirs = other.poll();
    for (const auto& packet : theirs) deliver(packet);
    more = !mine.empty() || !theirs.empty();
  }
}

}  // namespace asiortc::test
