//! A DynamoDB inside the test program, so that the store's tests need nothing installed.

use batchfleet_aws::Clients;

use crate::support::{clients_at, create_table};

/// Clients of a DynamoDB of this test's own, in memory, on a free port of the loopback interface.
/// It ends with the test's runtime.
pub(crate) async fn clients() -> Clients {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("an address");
    let database = dynoxide::Database::memory().expect("a database");
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    let clients = clients_at(&format!("http://{address}")).await;
    create_table(&clients.dynamodb).await;
    clients
}
