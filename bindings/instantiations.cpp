#include "instantiations.hpp"

namespace quicchat {

template class quic::ClientDriver<quic::Client>;
template class quic::Driver<quic::Server>;

}  // namespace quicchat
