"""What finds faces in one picture: a protocol (`detector`), and one module for each detector."""
