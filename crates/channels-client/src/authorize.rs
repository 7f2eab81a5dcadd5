//! Authorization of channels, and authentication of users.

mod authorizer;
mod http;
mod request;
mod shared;
#[cfg(feature = "signer")]
mod signer;
mod token;

#[cfg(feature = "signer")]
pub use self::signer::{MasterKeyError, Signer};
pub use self::{
    authorizer::{AuthorizeFuture, Authorizer, DynAuthorizer, WithUserAuthentication},
    http::{EndpointExtras, EndpointRequest, HttpAuthorizer, HttpAuthorizerBuilder, HttpAuthorizerError},
    request::{AuthenticationRequest, AuthorizationRequest},
    shared::SharedTokens,
    token::{DynTokenProvider, StaticToken, TokenError, TokenFuture, TokenProvider, current_token},
};
